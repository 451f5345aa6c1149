using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class StaticFileWatcherTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ManualTimeProvider _clock = new();
    private readonly CancellationTokenSource _end = new();
    private readonly ReloadStatus _status;
    private StaticFileWatcher? _watcher;
    private Task _running = Task.CompletedTask;

    public StaticFileWatcherTests()
    {
        _status = new ReloadStatus(_clock);
        Save("css/site.css");
        Save("node_modules/package/index.css");
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running.WaitAsync(KestrelTestHost.Timeout);
        _watcher?.Dispose();
        _end.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(WatchMode.Auto)]
    [InlineData(WatchMode.Polling)]
    public async Task SavedFiles_AreTold_ByTheirPathsInTheRoot(WatchMode mode)
    {
        Run(mode);
        using var page = _status.Pages.Add();

        Save("css/site.css");
        Assert.Equal(["css/site.css"], await NextAsync());
        Save("new file.png");
        Assert.Equal(["new file.png"], await NextAsync());
    }

    [Theory]
    [InlineData(WatchMode.Auto)]
    [InlineData(WatchMode.Polling)]
    public async Task FilesThatNoBrowserLoads_AreNotTold(WatchMode mode)
    {
        Run(mode);
        using var page = _status.Pages.Add();
        foreach (var name in (string[])["css/site.css.map", "css/site.scss", "css/.site.css.swp", "css/site.css~", "node_modules/package/index.css"])
        {
            Save(name);
        }

        Save("last.js");

        Assert.Equal(["last.js"], await NextAsync());
    }

    [Fact]
    public async Task FileSavedByReplacement_IsToldOnce()
    {
        Run(WatchMode.Auto);
        using var page = _status.Pages.Add();

        var draft = _folder.PathOf("draft.tmp");
        File.WriteAllText(draft, "new");
        File.Move(draft, PathOf("css/site.css"), overwrite: true);

        Assert.Equal(["css/site.css"], await NextAsync());
    }

    [Fact]
    public async Task NewFolder_IsTold_AndWatched()
    {
        Run(WatchMode.Auto);
        using var page = _status.Pages.Add();

        Directory.CreateDirectory(PathOf("img"));
        Assert.Equal(["img"], await NextAsync());
        using var another = _status.Pages.Add();
        Save("img/logo.svg");
        Assert.Equal(["img/logo.svg"], await NextAsync());
    }

    [Fact]
    public async Task RootThatComesLater_IsWatchedForTheNextPage()
    {
        var root = _folder.PathOf("later");
        Run(WatchMode.Auto, root);
        using var first = _status.Pages.Add();
        Directory.CreateDirectory(root);

        using var second = _status.Pages.Add();
        File.WriteAllText(Path.Combine(root, "a.css"), "a");

        Assert.Equal(["a.css"], await NextAsync());
    }

    [Fact]
    public void Files_WithoutAPageInSight_AreNotLookedAt()
    {
        Run(WatchMode.Polling);
        Assert.Equal(0, _clock.PendingTimers);

        using (_status.Pages.Add())
        {
            Assert.Equal(1, _clock.PendingTimers);
        }

        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, _clock.PendingTimers);
    }

    [Fact]
    public async Task FileSaved_WhileNoPageIsInSight_IsToldToTheNext()
    {
        Run(WatchMode.Polling);
        _status.Pages.Add().Dispose();
        _clock.Advance(TimeSpan.FromMinutes(1));
        Save("css/site.css");

        using var page = _status.Pages.Add();

        Assert.Equal(["css/site.css"], await NextAsync());
    }

    private void Run(WatchMode mode, string? root = null)
    {
        var options = new DevReloaderOptions { Watch = mode };
        _watcher = new StaticFileWatcher(() => [root ?? PathOf("")], _folder.Path, options, _status, _clock, new ReloadConsole(TextWriter.Null));
        _running = _watcher.RunAsync(_end.Token);
    }

    /// <summary>Waits for the next change that is told, while time passes.</summary>
    private async Task<IEnumerable<string>> NextAsync()
    {
        var latest = _status.Now.LatestFile;
        var told = _status.WaitForAsync(now => now.LatestFile > latest, TestContext.Current.CancellationToken);
        using var limit = new CancellationTokenSource(KestrelTestHost.Timeout);
        while (!told.IsCompleted)
        {
            limit.Token.ThrowIfCancellationRequested();
            _clock.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        return (await told).Files.Where(file => file.Number > latest).Select(file => file.Path);
    }

    private string PathOf(string name) => Path.TrimEndingDirectorySeparator(_folder.PathOf(Path.Combine("wwwroot", name)));

    private void Save(string name)
    {
        var path = PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.AppendAllText(path, "more");
    }
}
