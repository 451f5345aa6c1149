using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class SourceWatcherTests : IDisposable
{
    private static readonly TimeSpan Sweep = TimeSpan.FromSeconds(1);

    private readonly TemporaryFolder _folder = new();
    private WatchedProject? _watched;

    private string Project => _folder.PathOf("app");

    private WatchedProject Watched => _watched ?? throw new InvalidOperationException("Not watched.");

    private ManualTimeProvider Clock => Watched.Clock;

    public void Dispose()
    {
        _watched?.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(WatchMode.Auto)]
    [InlineData(WatchMode.Events)]
    public async Task Edit_WithEvents_IsNoticedWithoutASweep(WatchMode mode)
    {
        var file = _folder.Write("app/Orders/Order.cs", "one");
        Watch(mode);
        var noticed = Watched.NextAsync();

        Save("app/Orders/Order.cs", "two");

        Assert.Equal([new SourceChange(file, ChangeKind.Edited)], (await noticed).Changes.Changes);
    }

    [Fact]
    public async Task Edit_WithPolling_IsNoticedByTheNextSweep()
    {
        var file = _folder.Write("app/Program.cs", "one");
        Watch(WatchMode.Polling);
        var noticed = Watched.NextAsync();

        _folder.Write("app/Program.cs", "two");
        Assert.Equal(1, Clock.PendingTimers);
        Assert.False(noticed.IsCompleted);
        Clock.Advance(TimeSpan.FromMilliseconds(300));

        Assert.Equal([new SourceChange(file, ChangeKind.Edited)], (await noticed).Changes.Changes);
    }

    [Fact]
    public async Task NextEdit_WithOneStillPending_IsTheOneAfterIt()
    {
        _folder.Write("app/Program.cs", "one");
        var watcher = Watch(WatchMode.Polling);
        _folder.Write("app/Program.cs", "pending");
        Assert.False((await Watched.NextAsync()).Changes.IsEmpty);

        var next = watcher.WaitForNextEditAsync(TestContext.Current.CancellationToken).AsTask();
        Clock.Advance(TimeSpan.FromMilliseconds(300));
        Assert.False(next.IsCompleted);
        _folder.Write("app/Program.cs", "the next one");
        Clock.Advance(TimeSpan.FromMilliseconds(300));

        await next.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Folder_MovedInAndOutAgain_IsNoticedByEvents()
    {
        _folder.Write("app/Program.cs", "");
        _folder.Write("drafts/Api.V2/Orders.cs", "one");
        var inside = Path.Combine(Project, "Api.V2");
        Watch(WatchMode.Events);

        var noticed = Watched.NextAsync();
        Directory.Move(_folder.PathOf("drafts/Api.V2"), inside);
        Assert.Equal([new SourceChange(Path.Combine(inside, "Orders.cs"), ChangeKind.Added)], (await Watched.AcceptAsync(noticed)).Changes.Changes);

        noticed = Watched.NextAsync();
        Directory.Move(inside, _folder.PathOf("drafts/Api.V2"));
        await Watched.PassTimeAsync(noticed);
        Assert.Equal([new SourceChange(Path.Combine(inside, "Orders.cs"), ChangeKind.Deleted)], (await Watched.AcceptAsync(noticed)).Changes.Changes);
    }

    [Fact]
    public async Task Folder_DeletedAndCreatedAgain_IsWatchedAgain()
    {
        _folder.Write("app/Program.cs", "");
        _folder.Write("app/Orders/Order.cs", "one");
        Watch(WatchMode.Events);

        var noticed = Watched.NextAsync();
        Directory.Delete(Path.Combine(Project, "Orders"), recursive: true);
        await Watched.PassTimeAsync(noticed);
        await Watched.AcceptAsync(noticed);

        noticed = Watched.NextAsync();
        Save("app/Orders/Order.cs", "two");
        await Watched.AcceptAsync(noticed);

        noticed = Watched.NextAsync();
        Save("app/Orders/Order.cs", "three, after all is in place again");
        await Watched.AcceptAsync(noticed);
    }

    [Fact]
    public async Task ProjectFolder_GoneAndReplaced_IsSaidAndWatchedAgain()
    {
        _folder.Write("app/Program.cs", "one");
        Watch(WatchMode.Auto);
        var noticed = Watched.NextAsync();

        Directory.Move(Project, _folder.PathOf("elsewhere"));
        Clock.Advance(Sweep);
        await Watched.Said.WaitForAsync($"{Project} is gone; the last good version keeps serving until the folder is back");
        Assert.False(noticed.IsCompleted);

        _folder.Write("app/Program.cs", "one");
        Clock.Advance(Sweep);
        await Watched.Said.WaitForAsync($"{Project} is back");

        Save("app/Program.cs", "two");
        Assert.Equal([new SourceChange(_folder.PathOf("app/Program.cs"), ChangeKind.Edited)], (await noticed).Changes.Changes);
    }

    [Fact]
    public async Task Request_WithoutAChange_IsGivenWithItsReasonOnce()
    {
        _folder.Write("app/Program.cs", "one");
        var watcher = Watch(WatchMode.Polling);

        watcher.Request("asked for");
        var look = await Watched.AcceptAsync(Watched.NextAsync());

        Assert.Empty(look.Changes.Changes);
        Assert.Equal("asked for", look.Changes.RequestedBecause);
        Clock.Advance(Sweep);
        Assert.True((await watcher.SettleAsync(TestContext.Current.CancellationToken)).Changes.IsEmpty);
    }

    [Fact]
    public async Task Pause_UntilResume_HoldsChangesBack()
    {
        _folder.Write("app/Program.cs", "one");
        var watcher = Watch(WatchMode.Polling);
        watcher.Pause();
        _folder.Write("app/Program.cs", "two");
        var noticed = Watched.NextAsync();
        Clock.Advance(Sweep);
        Assert.False(noticed.IsCompleted);

        watcher.Resume();

        Assert.Single((await noticed).Changes.Changes);
    }

    [Fact]
    public async Task Refine_AfterAnEarlyEdit_KeepsTheEditAndForgetsWhatIsNoInput()
    {
        var program = _folder.Write("app/Program.cs", "one");
        _folder.Write("app/Draft.cs", "one");
        var watcher = Watch(WatchMode.Polling);
        _folder.Write("app/Program.cs", "two");
        _folder.Write("app/Draft.cs", "two");

        var project = Path.Combine(Project, "App.csproj");
        watcher.Refine(new SourceTree(new ProjectGraph(
            [new SolutionProject(project, "App", new CompilerCommandLine(project, ["Program.cs"], "", Path.Combine(Project, "obj"), []), [], [])])));

        Assert.Equal([new SourceChange(program, ChangeKind.Edited)], (await Watched.NextAsync()).Changes.Changes);
    }

    [Fact]
    public async Task Settle_AfterAnEvent_WaitsForTheQuietPeriod()
    {
        _folder.Write("app/Program.cs", "one");
        var watcher = Watch(WatchMode.Polling);
        watcher.Request("asked for");

        var settled = watcher.SettleAsync(TestContext.Current.CancellationToken).AsTask();
        Clock.Advance(TimeSpan.FromMilliseconds(9));
        Assert.False(settled.IsCompleted);
        _folder.Write("app/Program.cs", "two");
        Clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Single((await settled.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken)).Changes.Changes);
    }

    [Fact]
    public async Task Settle_WhenItNeverGetsQuiet_EndsAllTheSame()
    {
        _folder.Write("app/Program.cs", "one");
        var watcher = Watch(WatchMode.Polling);
        var began = Clock.GetTimestamp();
        watcher.Request("busy");

        var settled = watcher.SettleAsync(TestContext.Current.CancellationToken).AsTask();
        using var limit = new CancellationTokenSource(KestrelTestHost.Timeout);
        while (!settled.IsCompleted)
        {
            limit.Token.ThrowIfCancellationRequested();
            Clock.Advance(TimeSpan.FromMilliseconds(5));
            watcher.Request("busy");
            await Task.Yield();
        }

        Assert.Equal("busy", (await settled).Changes.RequestedBecause);
        Assert.True(Clock.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(300), "It ended before the longest burst was over.");
    }

    [Fact]
    public async Task Edit_ToAnEmptyFile_WaitsForTheRestOfIt()
    {
        _folder.Write("app/Program.cs", "one");
        Watch(WatchMode.Events);
        var noticed = Watched.NextAsync();

        _folder.Write("app/Program.cs", "");
        await Watched.WaitForTimerAsync();
        Assert.False(noticed.IsCompleted);
        _folder.Write("app/Program.cs", "two");
        await Watched.PassTimeAsync(noticed);

        var look = await noticed;
        Assert.Single(look.Changes.Changes);
        Assert.False(look.Files.IsHalfWritten(_folder.PathOf("app/Program.cs")));
    }

    [Fact]
    public async Task Edit_UndoneWhileItWasLookedAt_IsNoChange()
    {
        var file = _folder.Write("app/Program.cs", "one");
        Watch(WatchMode.Events);
        var noticed = Watched.NextAsync();

        File.Delete(file);
        await Watched.WaitForTimerAsync();
        _folder.Write("app/Program.cs", "one");
        Clock.Advance(TimeSpan.FromMilliseconds(10));
        Save("app/Orders.cs", "a real change");
        await Watched.PassTimeAsync(noticed);

        Assert.Equal([new SourceChange(_folder.PathOf("app/Orders.cs"), ChangeKind.Added)], (await noticed).Changes.Changes);
    }

    [Theory]
    [InlineData(WatchMode.Events)]
    [InlineData(WatchMode.Polling)]
    public async Task TriggerFile_Touched_IsARequest(WatchMode mode)
    {
        _folder.Write("app/Program.cs", "one");
        var watcher = Watch(mode, triggerFile: "../reload");
        var noticed = Watched.NextAsync();

        _folder.Write("reload", "");
        if (mode == WatchMode.Polling)
        {
            Clock.Advance(Sweep);
        }

        var look = await Watched.AcceptAsync(noticed);
        Assert.Equal("reload touched", look.Changes.RequestedBecause);
        Assert.Empty(look.Changes.Changes);
        File.Delete(_folder.PathOf("reload"));
        var settled = watcher.SettleAsync(TestContext.Current.CancellationToken).AsTask();
        await Watched.PassTimeAsync(settled);
        Assert.True((await settled).Changes.IsEmpty);
    }

    [Fact]
    public async Task Edit_WhileSomebodyIsAtWork_WaitsUntilTheyAreDoneAndSaysSo()
    {
        _folder.Write("app/Program.cs", "one");
        var watcher = Watch(WatchMode.Polling);
        var work = new Work { Reason = "git is at work (index.lock)" };
        watcher.Others = [work];
        _folder.Write("app/Program.cs", "two");
        var noticed = Watched.NextAsync();
        await Watched.Said.WaitForAsync("git is at work (index.lock); waiting until it is done");
        Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.False(noticed.IsCompleted);

        _folder.Write("app/Orders.cs", "written by the same operation");
        work.Reason = null;
        await Watched.PassTimeAsync(noticed);

        Assert.Equal(2, (await noticed).Changes.Changes.Count);
    }

    [Fact]
    public async Task Edit_WhileSomebodyIsAtWorkForEver_IsTakenAfterAMinute()
    {
        _folder.Write("app/Program.cs", "one");
        var watcher = Watch(WatchMode.Polling);
        watcher.Others = [new Work { Reason = "git is at work (index.lock)" }];
        _folder.Write("app/Program.cs", "two");
        var began = Clock.GetTimestamp();
        var noticed = Watched.NextAsync();

        await Watched.PassTimeAsync(noticed);

        Assert.Single((await noticed).Changes.Changes);
        Assert.True(Clock.GetElapsedTime(began) >= TimeSpan.FromMinutes(1));
        await Watched.Said.WaitForAsync("git is at work (index.lock), after 60 s still; not waiting any longer");
    }

    private SourceWatcher Watch(WatchMode mode, string? triggerFile = null)
    {
        _watched = new WatchedProject(Project, mode, triggerFile);
        return _watched.Watcher;
    }

    /// <summary>Saves so that nobody sees half a file, for which the watcher would wait: the clock stands still.</summary>
    private void Save(string file, string content)
    {
        var draft = _folder.Write("draft", content);
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.PathOf(file))!);
        File.Move(draft, _folder.PathOf(file), overwrite: true);
    }

    private sealed class Work : IWorkInProgress
    {
        public volatile string? Reason;

        public string? Find(DateTimeOffset now) => Reason;
    }
}
