using System.Text;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>
/// The clock stands still unless a test moves it, and with it the sweeps: what is noticed meanwhile was noticed by an event.
/// </summary>
public sealed class SourceWatcherTests : IDisposable
{
    private static readonly TimeSpan Sweep = TimeSpan.FromSeconds(1);

    private readonly TemporaryFolder _folder = new();
    private readonly ManualTimeProvider _clock = new();
    private readonly ConsoleLines _said = new();
    private SourceWatcher? _watcher;

    private string Project => _folder.PathOf("app");

    public void Dispose()
    {
        _watcher?.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(WatchMode.Auto)]
    [InlineData(WatchMode.Events)]
    public async Task Edit_WithEvents_IsNoticedWithoutASweep(WatchMode mode)
    {
        var file = _folder.Write("app/Orders/Order.cs", "one");
        var watcher = Watch(mode);
        var noticed = NextAsync(watcher);

        _folder.Write("app/Orders/Order.cs", "two");

        Assert.Equal([new SourceChange(file, ChangeKind.Edited)], (await noticed).Changes.Changes);
    }

    [Fact]
    public async Task Edit_WithPolling_IsNoticedByTheNextSweep()
    {
        var file = _folder.Write("app/Program.cs", "one");
        var watcher = Watch(WatchMode.Polling);
        var noticed = NextAsync(watcher);

        _folder.Write("app/Program.cs", "two");
        Assert.Equal(1, _clock.PendingTimers);
        Assert.False(noticed.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(300));

        Assert.Equal([new SourceChange(file, ChangeKind.Edited)], (await noticed).Changes.Changes);
    }

    [Fact]
    public async Task NextEdit_WithOneStillPending_IsTheOneAfterIt()
    {
        _folder.Write("app/Program.cs", "one");
        var watcher = Watch(WatchMode.Polling);
        _folder.Write("app/Program.cs", "pending");
        Assert.False((await NextAsync(watcher)).Changes.IsEmpty);

        var next = watcher.WaitForNextEditAsync(TestContext.Current.CancellationToken).AsTask();
        _clock.Advance(TimeSpan.FromMilliseconds(300));
        Assert.False(next.IsCompleted);
        _folder.Write("app/Program.cs", "the next one");
        _clock.Advance(TimeSpan.FromMilliseconds(300));

        await next.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Folder_MovedInAndOutAgain_IsNoticedByEvents()
    {
        _folder.Write("app/Program.cs", "");
        _folder.Write("drafts/Api.V2/Orders.cs", "");
        var inside = Path.Combine(Project, "Api.V2");
        var watcher = Watch(WatchMode.Events);

        var noticed = NextAsync(watcher);
        Directory.Move(_folder.PathOf("drafts/Api.V2"), inside);
        Assert.Equal([new SourceChange(Path.Combine(inside, "Orders.cs"), ChangeKind.Added)], (await AcceptAsync(watcher, noticed)).Changes.Changes);

        noticed = NextAsync(watcher);
        Directory.Move(inside, _folder.PathOf("drafts/Api.V2"));
        Assert.Equal([new SourceChange(Path.Combine(inside, "Orders.cs"), ChangeKind.Deleted)], (await AcceptAsync(watcher, noticed)).Changes.Changes);
    }

    [Fact]
    public async Task Folder_DeletedAndCreatedAgain_IsWatchedAgain()
    {
        _folder.Write("app/Program.cs", "");
        _folder.Write("app/Orders/Order.cs", "one");
        var watcher = Watch(WatchMode.Events);

        var noticed = NextAsync(watcher);
        Directory.Delete(Path.Combine(Project, "Orders"), recursive: true);
        await AcceptAsync(watcher, noticed);

        noticed = NextAsync(watcher);
        _folder.Write("app/Orders/Order.cs", "two");
        await AcceptAsync(watcher, noticed);

        noticed = NextAsync(watcher);
        _folder.Write("app/Orders/Order.cs", "three, after all is in place again");
        await AcceptAsync(watcher, noticed);
    }

    [Fact]
    public async Task ProjectFolder_GoneAndReplaced_IsSaidAndWatchedAgain()
    {
        _folder.Write("app/Program.cs", "one");
        var watcher = Watch(WatchMode.Auto);
        var noticed = NextAsync(watcher);

        Directory.Move(Project, _folder.PathOf("elsewhere"));
        _clock.Advance(Sweep);
        await _said.WaitForAsync($"{Project} is gone; the last good version keeps serving until the folder is back");
        Assert.False(noticed.IsCompleted);

        _folder.Write("app/Program.cs", "one");
        _clock.Advance(Sweep);
        await _said.WaitForAsync($"{Project} is back");

        _folder.Write("app/Program.cs", "two");
        Assert.Equal([new SourceChange(_folder.PathOf("app/Program.cs"), ChangeKind.Edited)], (await noticed).Changes.Changes);
    }

    [Fact]
    public async Task Request_WithoutAChange_IsGivenWithItsReasonOnce()
    {
        _folder.Write("app/Program.cs", "one");
        var watcher = Watch(WatchMode.Polling);

        watcher.Request("asked for");
        var look = await AcceptAsync(watcher, NextAsync(watcher));

        Assert.Empty(look.Changes.Changes);
        Assert.Equal("asked for", look.Changes.RequestedBecause);
        _clock.Advance(Sweep);
        Assert.True((await watcher.SettleAsync(TestContext.Current.CancellationToken)).Changes.IsEmpty);
    }

    [Fact]
    public async Task Pause_UntilResume_HoldsChangesBack()
    {
        _folder.Write("app/Program.cs", "one");
        var watcher = Watch(WatchMode.Polling);
        watcher.Pause();
        _folder.Write("app/Program.cs", "two");
        var noticed = NextAsync(watcher);
        _clock.Advance(Sweep);
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

        Assert.Equal([new SourceChange(program, ChangeKind.Edited)], (await NextAsync(watcher)).Changes.Changes);
    }

    [Fact]
    public async Task Settle_AfterAnEvent_WaitsForTheQuietPeriod()
    {
        _folder.Write("app/Program.cs", "one");
        var watcher = Watch(WatchMode.Polling);
        watcher.Request("asked for");

        var settled = watcher.SettleAsync(TestContext.Current.CancellationToken).AsTask();
        _clock.Advance(TimeSpan.FromMilliseconds(9));
        Assert.False(settled.IsCompleted);
        _folder.Write("app/Program.cs", "two");
        _clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Single((await settled.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken)).Changes.Changes);
    }

    [Fact]
    public async Task Settle_WhenItNeverGetsQuiet_EndsAllTheSame()
    {
        _folder.Write("app/Program.cs", "one");
        var watcher = Watch(WatchMode.Polling);
        var began = _clock.GetTimestamp();
        watcher.Request("busy");

        var settled = watcher.SettleAsync(TestContext.Current.CancellationToken).AsTask();
        using var limit = new CancellationTokenSource(KestrelTestHost.Timeout);
        while (!settled.IsCompleted)
        {
            limit.Token.ThrowIfCancellationRequested();
            _clock.Advance(TimeSpan.FromMilliseconds(5));
            watcher.Request("busy");
            await Task.Yield();
        }

        Assert.Equal("busy", (await settled).Changes.RequestedBecause);
        Assert.True(_clock.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(300), "It ended before the longest burst was over.");
    }

    private SourceWatcher Watch(WatchMode mode)
    {
        _watcher = new SourceWatcher(
            new SourceTree(Project), new DevReloaderOptions { Watch = mode }, _clock, new ReloadConsole(new LineWriter(_said)));
        _watcher.Start();
        return _watcher;
    }

    private static Task<SourceLook> NextAsync(SourceWatcher watcher) =>
        watcher.WaitForChangesAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(KestrelTestHost.Timeout);

    private static async Task<SourceLook> AcceptAsync(SourceWatcher watcher, Task<SourceLook> noticed)
    {
        var look = await noticed;
        watcher.Accept(look);
        return look;
    }

    private sealed class LineWriter(ConsoleLines lines) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value) => lines.Add(value!);
    }
}
