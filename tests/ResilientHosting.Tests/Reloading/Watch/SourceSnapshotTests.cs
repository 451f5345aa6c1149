using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class SourceSnapshotTests : IDisposable
{
    // Far from the files' time stamps: none of them is so fresh that it would be read again for that.
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;

    private readonly TemporaryFolder _folder = new();

    private IEnumerable<SourceListing> Listings => [new(_folder.Path, Recursive: true)];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ChangesSince_EditAdditionAndDeletion_AreTold()
    {
        var edited = _folder.Write("Edited.cs", "one");
        var deleted = _folder.Write("Deleted.cs", "one");
        var kept = _folder.Write("Kept.cs", "one");
        var before = SourceSnapshot.Empty.Retake([edited, deleted, kept], Now);

        _folder.Write("Edited.cs", "two");
        File.Delete(deleted);
        var added = _folder.Write("Added.cs", "one");
        var after = before.Retake([edited, deleted, kept, added], Now);

        Assert.Equal(
            [new(added, ChangeKind.Added), new(deleted, ChangeKind.Deleted), new(edited, ChangeKind.Edited)],
            after.ChangesSince(before).OrderBy(change => change.Path, StringComparer.Ordinal));
        Assert.Equal(3, after.Count);
    }

    [Fact]
    public void ChangesSince_TouchedFile_IsNoChange()
    {
        var path = _folder.Write("A.cs", "same");
        var before = SourceSnapshot.Empty.Retake([path], Now);

        File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(path).AddHours(1));

        Assert.Empty(before.Retake([path], Now).ChangesSince(before));
    }

    [Fact]
    public void ChangesSince_OlderTimeStamp_IsAChangeIfTheContentIs()
    {
        var path = _folder.Write("A.cs", "new");
        var before = SourceSnapshot.Empty.Retake([path], Now);

        _folder.Write("A.cs", "old");
        File.SetLastWriteTimeUtc(path, new DateTime(2001, 2, 3, 0, 0, 0, DateTimeKind.Utc));

        Assert.Equal([new SourceChange(path, ChangeKind.Edited)], before.Retake([path], Now).ChangesSince(before));
    }

    [Fact]
    public void ChangesSince_EditedAndBack_IsNoChange()
    {
        var path = _folder.Write("A.cs", "one");
        var before = SourceSnapshot.Empty.Retake([path], Now);

        _folder.Write("A.cs", "two, longer");
        var between = before.Retake([path], Now);
        _folder.Write("A.cs", "one");

        Assert.Single(between.ChangesSince(before));
        Assert.Empty(between.Retake([path], Now).ChangesSince(before));
    }

    [Fact]
    public void Retake_OfAFreshFile_ReadsItWhateverItsTimeStampSays()
    {
        var path = _folder.Write("A.cs", "one");
        var stamp = File.GetLastWriteTimeUtc(path);
        var before = SourceSnapshot.Empty.Retake([path], stamp);

        _folder.Write("A.cs", "two");
        File.SetLastWriteTimeUtc(path, stamp);

        Assert.Single(before.Retake([path], stamp).ChangesSince(before));
    }

    [Fact]
    public void TryRetake_WithTheSameFiles_TellsEdits()
    {
        var edited = _folder.Write("Orders/Edited.cs", "one");
        var before = SourceSnapshot.Empty.Retake([edited, _folder.Write("Orders/Deep/Kept.cs", "one")], Now);
        _folder.Write("notes.txt", "");

        Assert.Same(before, before.TryRetake(Listings, NothingElse, Now));
        _folder.Write("Orders/Edited.cs", "two, longer");
        Assert.Equal([new SourceChange(edited, ChangeKind.Edited)], before.TryRetake(Listings, NothingElse, Now)!.ChangesSince(before));
    }

    [Fact]
    public void TryRetake_WithNewOrMissingFiles_LeavesItToALookByName()
    {
        var path = _folder.Write("Orders/Order.cs", "one");
        var before = SourceSnapshot.Empty.Retake([path], Now);

        var added = _folder.Write("Orders/Added.cs", "one");
        Assert.Null(before.TryRetake(Listings, NothingElse, Now));
        Assert.Same(before, before.TryRetake(Listings, name => name.SequenceEqual(added), Now));

        File.Delete(added);
        File.Delete(path);
        Assert.Null(before.TryRetake(Listings, NothingElse, Now));
    }

    [Fact]
    public void Reread_OfNamedFiles_TakesTheRestOver()
    {
        var named = _folder.Write("Named.cs", "one");
        var deleted = _folder.Write("Deleted.cs", "one");
        var other = _folder.Write("Other.cs", "one");
        var before = SourceSnapshot.Empty.Retake([named, deleted, other], Now);

        _folder.Write("Named.cs", "two");
        File.Delete(deleted);
        _folder.Write("Other.cs", "two, but nobody said so");

        Assert.Equal(
            [new(deleted, ChangeKind.Deleted), new(named, ChangeKind.Edited)],
            before.Reread([named, deleted], Now).ChangesSince(before).OrderBy(change => change.Path, StringComparer.Ordinal));
    }

    [Fact]
    public void Restrict_ToInputs_KeepsTheEarlierLookAndTakesInWhatWasOutOfSight()
    {
        var input = _folder.Write("Input.cs", "one");
        var noInput = _folder.Write("Ignored.cs", "one");
        var linked = _folder.Write("elsewhere/Linked.cs", "one");
        var before = SourceSnapshot.Empty.Retake([input, noInput], Now);
        _folder.Write("Input.cs", "edited before the restriction");

        var restricted = before.Restrict(new HashSet<string> { input, linked }, [linked], Now);

        Assert.Equal(2, restricted.Count);
        Assert.Equal([new SourceChange(input, ChangeKind.Edited)], restricted.Retake([input, linked], Now).ChangesSince(restricted));
    }

    private static bool NothingElse(ReadOnlySpan<char> path) => false;
}
