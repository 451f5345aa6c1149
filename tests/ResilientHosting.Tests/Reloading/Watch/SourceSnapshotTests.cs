using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class SourceSnapshotTests : IDisposable
{
    // Far from the files' time stamps: none of them is so fresh that it would be read again for that.
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ChangesSince_EditAdditionAndDeletion_AreTold()
    {
        var edited = _folder.Write("Edited.cs", "one");
        var deleted = _folder.Write("Deleted.cs", "one");
        _folder.Write("Kept.cs", "one");
        var before = Sweep(SourceSnapshot.Empty);

        _folder.Write("Edited.cs", "two");
        File.Delete(deleted);
        var added = _folder.Write("Added.cs", "one");
        var after = Sweep(before);

        Assert.Equal(
            [new(added, ChangeKind.Added), new(deleted, ChangeKind.Deleted), new(edited, ChangeKind.Edited)],
            after.ChangesSince(before).OrderBy(change => change.Path, StringComparer.Ordinal));
        Assert.Equal(3, after.Count);
    }

    [Fact]
    public void ChangesSince_TouchedFile_IsNoChange()
    {
        var path = _folder.Write("A.cs", "same");
        var before = Sweep(SourceSnapshot.Empty);

        File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(path).AddHours(1));

        Assert.Empty(Sweep(before).ChangesSince(before));
    }

    [Fact]
    public void ChangesSince_TimeStampGoneBackwards_IsAChangeIfTheContentIs()
    {
        var path = _folder.Write("A.cs", "new");
        var before = Sweep(SourceSnapshot.Empty);

        _folder.Write("A.cs", "old");
        File.SetLastWriteTimeUtc(path, new DateTime(2001, 2, 3, 0, 0, 0, DateTimeKind.Utc));

        Assert.Equal([new SourceChange(path, ChangeKind.Edited)], Sweep(before).ChangesSince(before));
    }

    [Fact]
    public void ChangesSince_EditedAndBack_IsNoChange()
    {
        _folder.Write("A.cs", "one");
        var before = Sweep(SourceSnapshot.Empty);

        _folder.Write("A.cs", "two, longer");
        var between = Sweep(before);
        _folder.Write("A.cs", "one");

        Assert.Single(between.ChangesSince(before));
        Assert.Empty(Sweep(between).ChangesSince(before));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-600)]
    [InlineData(600)]
    public void Sweep_TwoSavesInOneTickOfACoarseClock_AreBothNoticedWhateverTheServersClockSays(int skewInSeconds)
    {
        var path = _folder.Write("A.cs", "one");
        var stamp = File.GetLastWriteTimeUtc(path);
        var now = new DateTimeOffset(stamp).AddSeconds(skewInSeconds);
        var before = Sweep(SourceSnapshot.Empty, now);

        _folder.Write("A.cs", "two");
        File.SetLastWriteTimeUtc(path, stamp);

        Assert.Single(Sweep(before, now.AddSeconds(1)).ChangesSince(before));
    }

    [Fact]
    public void Sweep_OfAFileThatStoodStill_GoesByItsTimeStamp()
    {
        var path = _folder.Write("A.cs", "one");
        var now = new DateTimeOffset(File.GetLastWriteTimeUtc(path));
        var settled = Sweep(Sweep(SourceSnapshot.Empty, now), now.AddSeconds(3));

        Assert.Same(settled, Sweep(settled, now.AddSeconds(4)));
    }

    [Fact]
    public void Reread_OfNamedFiles_TakesTheRestOver()
    {
        var named = _folder.Write("Named.cs", "one");
        var deleted = _folder.Write("Deleted.cs", "one");
        var other = _folder.Write("Other.cs", "one");
        var before = SourceSnapshot.Empty.Reread([named, deleted, other], Now);

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
        var before = SourceSnapshot.Empty.Reread([input, noInput], Now);
        _folder.Write("Input.cs", "edited before the restriction");

        var restricted = before.Restrict(new HashSet<string> { input, linked }, [linked], Now);

        Assert.Equal(2, restricted.Count);
        Assert.Equal(1, before.Restrict(new HashSet<string> { input }, [], Now).Count);
        Assert.Equal(0, SourceSnapshot.Empty.Count);
        Assert.Equal([new SourceChange(input, ChangeKind.Edited)], restricted.Reread([input, linked], Now).ChangesSince(restricted));
    }

    private SourceSnapshot Sweep(SourceSnapshot earlier, DateTimeOffset? now = null)
    {
        var tree = new SourceTree(_folder.Path);
        var folders = tree.Folders();
        return new SourceSweep(tree, folders).Look(earlier, folders.All, now ?? Now);
    }
}
