using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Folders that come, go, are renamed and lead elsewhere, while they are watched.</summary>
public sealed class FolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private WatchedProject? _watched;

    private string Project => _folder.PathOf("app");

    public static TheoryData<WatchMode> AllModes { get; } = [WatchMode.Auto, WatchMode.Events, WatchMode.Polling];

    public void Dispose()
    {
        _watched?.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(AllModes))]
    public async Task NewTree_WithAFileAtOnce_IsNoticedAndWatched(WatchMode mode)
    {
        _folder.Write("app/Program.cs", "");
        _folder.Write("app/bin/App.dll", "");
        _folder.Write("app/Orders/Order.cs", "");
        var watched = Watch(mode);

        foreach (var file in new[] { "app/Orders/a/b/c/Deep.cs", "app/New/a/b/c/Deep.cs" })
        {
            var path = _folder.Write(file, "one");
            Assert.Equal([new SourceChange(path, ChangeKind.Added)], await watched.NextInTimeAsync());
            _folder.Write(file, "two");
            Assert.Equal([new SourceChange(path, ChangeKind.Edited)], await watched.NextInTimeAsync());
        }
    }

    [Theory]
    [MemberData(nameof(AllModes))]
    public async Task Folder_RenamedDeepBelow_MovesItsFiles(WatchMode mode)
    {
        var before = _folder.Write("app/Orders/Old/Deep/Order.cs", "one");
        _folder.Write("app/bin/App.dll", "");
        var watched = Watch(mode);

        Directory.Move(_folder.PathOf("app/Orders/Old"), _folder.PathOf("app/Orders/New"));
        var after = _folder.PathOf("app/Orders/New/Deep/Order.cs");
        await ExpectAsync(watched, new(before, ChangeKind.Deleted), new(after, ChangeKind.Added));

        _folder.Write("app/Orders/New/Deep/Order.cs", "two");
        await ExpectAsync(watched, new SourceChange(after, ChangeKind.Edited));
    }

    [Theory]
    [MemberData(nameof(AllModes))]
    public async Task Folder_MovedAwayFromDeepBelow_TakesItsFilesAlong(WatchMode mode)
    {
        var file = _folder.Write("app/Orders/Deep/Order.cs", "one");
        _folder.Write("app/bin/App.dll", "");
        var watched = Watch(mode);

        Directory.Move(_folder.PathOf("app/Orders/Deep"), _folder.PathOf("away"));

        await ExpectAsync(watched, new SourceChange(file, ChangeKind.Deleted));
    }

    [Theory]
    [MemberData(nameof(AllModes))]
    public async Task FileName_ChangedInCaseAlone_IsAnotherFile(WatchMode mode)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The file system does not tell the names apart, which cannot be installed.");
        var before = _folder.Write("app/order.cs", "one");
        var watched = Watch(mode);

        File.Move(before, _folder.PathOf("app/Order.cs"));

        await ExpectAsync(watched, new(before, ChangeKind.Deleted), new(_folder.PathOf("app/Order.cs"), ChangeKind.Added));
    }

    [Theory]
    [MemberData(nameof(AllModes))]
    public async Task LinkedFolder_EditAndAddition_AreNoticed(WatchMode mode)
    {
        _folder.Write("app/Program.cs", "");
        _folder.Write("shared/Deep/Money.cs", "one");
        Directory.CreateSymbolicLink(_folder.PathOf("app/Shared"), _folder.PathOf("shared"));
        var watched = Watch(mode);

        _folder.Write("shared/Deep/Money.cs", "two");
        await ExpectAsync(watched, new SourceChange(_folder.PathOf("app/Shared/Deep/Money.cs"), ChangeKind.Edited));
        _folder.Write("shared/Deep/Price.cs", "one");
        await ExpectAsync(watched, new SourceChange(_folder.PathOf("app/Shared/Deep/Price.cs"), ChangeKind.Added));
    }

    [Theory]
    [MemberData(nameof(AllModes))]
    public async Task LinkedFolder_LinkedWhileWatched_IsFollowedFromThenOn(WatchMode mode)
    {
        _folder.Write("app/Orders/Order.cs", "");
        _folder.Write("app/bin/App.dll", "");
        _folder.Write("shared/Money.cs", "one");
        var watched = Watch(mode);

        Directory.CreateSymbolicLink(_folder.PathOf("app/Orders/Shared"), _folder.PathOf("shared"));
        await ExpectAsync(watched, new SourceChange(_folder.PathOf("app/Orders/Shared/Money.cs"), ChangeKind.Added));
        _folder.Write("shared/Money.cs", "two");
        await ExpectAsync(watched, new SourceChange(_folder.PathOf("app/Orders/Shared/Money.cs"), ChangeKind.Edited));
    }

    [Fact]
    public async Task LinkedFolder_LeadingBack_IsHarmless()
    {
        _folder.Write("app/Orders/Order.cs", "one");
        Directory.CreateSymbolicLink(_folder.PathOf("app/Orders/Up"), Project);
        var watched = Watch(WatchMode.Auto);

        var file = _folder.Write("app/Orders/Order.cs", "two");

        Assert.Equal([new SourceChange(file, ChangeKind.Edited)], await watched.NextInTimeAsync());
    }

    [Theory]
    [InlineData(WatchMode.Auto)]
    [InlineData(WatchMode.Polling)]
    public async Task LinkedFile_Edited_IsNoticedByASweep(WatchMode mode)
    {
        _folder.Write("shared/Money.cs", "one");
        Directory.CreateDirectory(Project);
        var link = _folder.PathOf("app/Money.cs");
        File.CreateSymbolicLink(link, _folder.PathOf("shared/Money.cs"));
        var watched = Watch(mode);

        _folder.Write("shared/Money.cs", "two");

        Assert.Equal([new SourceChange(link, ChangeKind.Edited)], await watched.NextInTimeAsync());
    }

    [Theory]
    [InlineData(WatchMode.Auto)]
    [InlineData(WatchMode.Polling)]
    public async Task InheritedFile_CreatedAboveTheProject_IsNoticedByASweep(WatchMode mode)
    {
        _folder.Write("app/Program.cs", "");
        var watched = Watch(mode);

        var file = _folder.Write("Directory.Build.props", "<Project />");

        Assert.Equal([new SourceChange(file, ChangeKind.Added)], await watched.NextInTimeAsync());
    }

    [Theory]
    [InlineData(WatchMode.Auto)]
    [InlineData(WatchMode.Polling)]
    public async Task LibraryFolder_GoneAndBack_IsWatchedAgain(WatchMode mode)
    {
        _folder.Write("app/Program.cs", "");
        var words = _folder.Write("library/Words.cs", "one");
        var watched = _watched = new WatchedProject(new SourceTree(new ProjectGraph([Project("library", "Words.cs"), Project("app", "Program.cs")])), mode);
        var noticed = watched.NextLongAfterTheStartAsync();

        Directory.Move(_folder.PathOf("library"), _folder.PathOf("elsewhere"));
        await watched.PassTimeAsync(noticed);
        Assert.Equal([new SourceChange(words, ChangeKind.Deleted)], (await watched.AcceptAsync(noticed)).Changes.Changes);

        Directory.Move(_folder.PathOf("elsewhere"), _folder.PathOf("library"));
        Assert.Equal([new SourceChange(words, ChangeKind.Added)], await watched.NextInTimeAsync());
        var added = _folder.Write("library/Deep/More.cs", "one");
        Assert.Equal([new SourceChange(added, ChangeKind.Added)], await watched.NextInTimeAsync());
        Assert.Empty(watched.Said.Since(0));

        SolutionProject Project(string name, string source)
        {
            var path = _folder.PathOf($"{name}/{name}.csproj");
            return new SolutionProject(path, name, new CompilerCommandLine(path, [source], "", _folder.PathOf($"{name}/obj"), []), [], []);
        }
    }

    [Fact]
    public async Task Packages_BelowAWatchedFolder_AreNeitherListedNorWatched()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells by its access time that a folder was listed, which cannot be installed.");
        _folder.Write("app/bin/App.dll", "");
        var page = _folder.Write("app/Client/Pages/Page.cs", "one");
        foreach (var number in Enumerable.Range(0, 500))
        {
            _folder.Write($"app/Client/node_modules/package{number}/lib/sample.cs", "");
        }

        // Whoever lists a folder, to look for files or to watch what is below, leaves his mark on it.
        var longAgo = new DateTime(2001, 2, 3, 0, 0, 0, DateTimeKind.Utc);
        var packages = Directory.GetDirectories(_folder.PathOf("app/Client"), "*", SearchOption.AllDirectories);
        Array.ForEach(packages, folder => Directory.SetLastAccessTimeUtc(folder, longAgo));
        var watched = Watch(WatchMode.Auto);
        _folder.Write("app/Client/Pages/Page.cs", "two");
        Assert.Equal([new SourceChange(page, ChangeKind.Edited)], await watched.NextInTimeAsync());

        var listed = packages.Where(folder => Directory.GetLastAccessTimeUtc(folder) != longAgo).ToArray();
        Assert.SkipWhen(listed.Length == 0, "This file system keeps no access times. They cannot be installed.");
        Assert.Equal([_folder.PathOf("app/Client/Pages")], listed);
    }

    [Fact]
    public async Task Folders_MoreThanCanBeWatched_AreLookedAtInstead()
    {
        Directory.CreateDirectory(_folder.PathOf("app/node_modules"));
        foreach (var number in Enumerable.Range(0, FolderEvents.Most + 5))
        {
            _folder.Write($"app/Part{number:00}/Part.cs", "one");
        }

        var watched = Watch(WatchMode.Events);
        await watched.Said.WaitForAsync($"more than {FolderEvents.Most} folders of sources; ");

        foreach (var number in Enumerable.Range(0, FolderEvents.Most + 5))
        {
            var file = _folder.Write($"app/Part{number:00}/Part.cs", "two");
            Assert.Equal([new SourceChange(file, ChangeKind.Edited)], await watched.NextInTimeAsync());
        }

        Assert.Single(watched.Said.Since(0));
    }

    [Fact]
    public async Task ManyFolders_WithOutputsBesideThem_AreWatchedAsOne()
    {
        _folder.Write("app/bin/Debug/App.dll", "");
        _folder.Write("app/obj/Debug/Generated.cs", "one");
        foreach (var number in Enumerable.Range(0, FolderEvents.Most + 5))
        {
            _folder.Write($"app/Part{number:00}/Deep/Part.cs", "one");
        }

        var watched = Watch(WatchMode.Events);
        var noticed = watched.NextLongAfterTheStartAsync();
        Assert.Equal([new SourceFolder(Project, FolderExtent.Tree, FileSystemType.Of(Project))], new SourceTree(Project).Folders().All);

        var last = _folder.Write($"app/Part{FolderEvents.Most + 4:00}/Deep/Part.cs", "two");

        // No sweep comes to help.
        await watched.PassTimeAsync(noticed);
        Assert.Equal([new SourceChange(last, ChangeKind.Edited)], (await watched.AcceptAsync(noticed)).Changes.Changes);
        Assert.Empty(watched.Said.Since(0));
    }

    [Fact]
    public void Outputs_OfManyFolders_AreLeftAlone()
    {
        foreach (var number in Enumerable.Range(0, 4))
        {
            _folder.Write($"app/Part{number}/Part.cs", "");
        }

        Directory.CreateDirectory(_folder.PathOf("app/bin"));
        Assert.Single(new SourceTree(Project).Folders().All);

        foreach (var number in Enumerable.Range(0, 200))
        {
            Directory.CreateDirectory(_folder.PathOf($"app/bin/runtimes/platform{number}/native"));
        }

        Assert.Equal(5, new SourceTree(Project).Folders().All.Count);
    }

    [Fact]
    public async Task Burst_Of500Files_IsOneChange()
    {
        for (var number = 0; number < 500; number++)
        {
            _folder.Write($"app/Part{number % 20}/File{number}.cs", "one");
        }

        var watched = Watch(WatchMode.Auto);
        var checkout = new Checkout { Reason = "git is at work (index.lock)" };
        watched.Watcher.Others = [checkout];
        var noticed = watched.NextAsync();

        for (var number = 0; number < 500; number++)
        {
            _folder.Write($"app/Part{number % 20}/File{number}.cs", "two");
        }

        await watched.Said.WaitForAsync("waiting until it is done");
        checkout.Reason = null;
        await watched.PassTimeAsync(noticed);

        Assert.Equal(500, (await watched.AcceptAsync(noticed)).Changes.Changes.Count);
        var settled = watched.Watcher.SettleAsync(TestContext.Current.CancellationToken).AsTask();
        await watched.PassTimeAsync(settled);
        Assert.True((await settled).Changes.IsEmpty);
    }

    private WatchedProject Watch(WatchMode mode) => _watched = new WatchedProject(Project, mode);

    /// <summary>Waits until these changes, and no others, have been noticed; two of one move may be noticed one after the other.</summary>
    private static async Task ExpectAsync(WatchedProject watched, params SourceChange[] expected)
    {
        var noticed = new HashSet<SourceChange>();
        do
        {
            noticed.UnionWith(await watched.NextInTimeAsync());
        }
        while (noticed.Count < expected.Length);

        Assert.Equal(expected.ToHashSet(), noticed);
    }

    private sealed class Checkout : IWorkInProgress
    {
        public volatile string? Reason;

        public string? Find(DateTimeOffset now) => Reason;
    }
}
