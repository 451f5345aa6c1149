using System.Text;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>
/// A watcher whose clock stands still unless a test moves it, and with it the sweeps: what is noticed meanwhile was noticed by an event.
/// </summary>
internal sealed class WatchedProject : IDisposable
{
    public WatchedProject(string folder, WatchMode mode = WatchMode.Auto, string? triggerFile = null)
        : this(new SourceTree(folder), mode, triggerFile)
    {
    }

    public WatchedProject(SourceTree tree, WatchMode mode, string? triggerFile = null)
    {
        Watcher = new SourceWatcher(
            tree,
            new DevReloaderOptions { Watch = mode, TriggerFile = triggerFile },
            Clock,
            new ReloadConsole(new LineWriter(Said)));
        Watcher.Start();
    }

    public ManualTimeProvider Clock { get; } = new();

    public ConsoleLines Said { get; } = new();

    public SourceWatcher Watcher { get; }

    /// <summary>Waits for the next change, without letting time pass.</summary>
    public Task<SourceLook> NextAsync() =>
        Watcher.WaitForChangesAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(KestrelTestHost.Timeout);

    /// <summary>Waits for the next change, so long after the start that an event can't be meant that came with it.</summary>
    public Task<SourceLook> NextLongAfterTheStartAsync()
    {
        Clock.Advance(MissedEvents.Grace * 2);
        return NextAsync();
    }

    /// <summary>Waits for the next change while time passes, and deals with it.</summary>
    public async Task<IReadOnlyList<SourceChange>> NextInTimeAsync()
    {
        var noticed = NextAsync();
        await PassTimeAsync(noticed);
        return (await AcceptAsync(noticed)).Changes.Changes;
    }

    /// <summary>Says that what was noticed is dealt with.</summary>
    public async Task<SourceLook> AcceptAsync(Task<SourceLook> noticed)
    {
        var look = await noticed;
        Watcher.Accept(look);
        return look;
    }

    /// <summary>Lets the clock run until something is done.</summary>
    public async Task PassTimeAsync(Task task)
    {
        using var limit = new CancellationTokenSource(KestrelTestHost.Timeout);
        while (!task.IsCompleted)
        {
            limit.Token.ThrowIfCancellationRequested();
            Clock.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }
    }

    /// <summary>Waits until the watcher waits for time to pass; beside events there are no sweeps.</summary>
    public async Task WaitForTimerAsync()
    {
        using var limit = new CancellationTokenSource(KestrelTestHost.Timeout);
        while (Clock.PendingTimers == 0)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public void Dispose() => Watcher.Dispose();

    private sealed class LineWriter(ConsoleLines lines) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value) => lines.Add(value!);
    }
}
