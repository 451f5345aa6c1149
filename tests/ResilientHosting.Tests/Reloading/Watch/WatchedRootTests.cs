using System.Globalization;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class WatchedRootTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Sum_FoldersOfOneKind_AreCountedWithTheOneThatTheyAreIn() => Assert.Equal(
        [new WatchedRoot("/shop/App", 3, "ext4", null), new WatchedRoot("/shop/App-Tests", 1, "ext4", null)],
        WatchedRoot.Sum([Watched("/shop/App"), Watched("/shop/App/Pages/Deep"), Watched("/shop/App-Tests"), Watched("/shop/App/Orders")]));

    [Fact]
    public void Sum_FoldersThatArePolled_AreKeptApartByReason() => Assert.Equal(
        [new WatchedRoot("/shop/App", 1, "ext4", null), new WatchedRoot("/shop/App/Orders", 2, "ext4", "why"), new WatchedRoot("/shop/App/Share", 1, "cifs", "why")],
        WatchedRoot.Sum([Watched("/shop/App"), Watched("/shop/App/Orders", "why"), Watched("/shop/App/Orders/New", "why"), Watched("/shop/App/Share", "why", "cifs")]));

    [Fact]
    public void Sum_AFolderAboveAllForTheSakeOfAListedFile_IsALineOfItsOwn() => Assert.Equal(
        [new WatchedRoot("/shop", 1, "ext4", null, IsForListedFiles: true), new WatchedRoot("/shop/App", 1, "ext4", null)],
        WatchedRoot.Sum([(new SourceFolder("/shop", FolderExtent.ListedFiles, "ext4"), null), Watched("/shop/App")]));

    [Fact]
    public void Sum_ThreeHundredFoldersSideBySide_AreOneLine()
    {
        var folders = Enumerable.Range(0, 300).Select(number => Watched(string.Create(CultureInfo.InvariantCulture, $"/shop/src/P{number}")));

        Assert.Equal([new WatchedRoot("/shop/src", 300, "ext4", null)], WatchedRoot.Sum(folders));
    }

    [Fact]
    public void Sum_FoldersFromEverywhere_AreInTheRoot()
    {
        var folders = Enumerable.Range(0, 10).Select(number => Watched(string.Create(CultureInfo.InvariantCulture, $"/{number}/src")));

        Assert.Equal("/", Assert.Single(WatchedRoot.Sum(folders)).Path);
    }

    [Theory]
    [InlineData(WatchMode.Auto, null)]
    [InlineData(WatchMode.Polling, "asked for (DevReloaderOptions.Watch, or DOTNET_USE_POLLING_FILE_WATCHER)")]
    public void Roots_OfAWatcher_TellHowItWatches(WatchMode mode, string? whyPolled)
    {
        _folder.Write("app/Program.cs", "");
        _folder.Write("app/Orders/Order.cs", "");
        _folder.Write("app/bin/App.dll", "");
        using var watched = new WatchedProject(_folder.PathOf("app"), mode);

        var root = Assert.Single(watched.Watcher.Roots);

        Assert.Equal(new WatchedRoot(_folder.PathOf("app"), 2, FileSystemType.Of(_folder.Path), whyPolled), root);
    }

    [Fact]
    public void Roots_OfMoreFoldersThanAreWatchedByEvents_SayWhyTheRestIsPolled()
    {
        Directory.CreateDirectory(_folder.PathOf("app/node_modules"));
        for (var number = 0; number < FolderEvents.Most + 9; number++)
        {
            _folder.Write(string.Create(CultureInfo.InvariantCulture, $"app/Part{number}/Part.cs"), "");
        }

        using var watched = new WatchedProject(_folder.PathOf("app"));

        var roots = watched.Watcher.Roots;
        Assert.Equal(FolderEvents.Most, roots.Where(root => root.WhyPolled is null).Sum(root => root.Folders));
        var polled = Assert.Single(roots, root => root.WhyPolled is not null);
        Assert.Equal((10, $"more than {FolderEvents.Most} folders of sources"), (polled.Folders, polled.WhyPolled));
    }

    private static (SourceFolder Folder, string? WhyPolled) Watched(string path, string? whyPolled = null, string fileSystem = "ext4") =>
        (new SourceFolder(path, FolderExtent.Tree, fileSystem), whyPolled);
}
