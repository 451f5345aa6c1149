using System.Diagnostics;

namespace ResilientHosting.Reloading;

/// <summary>Sees how the process is doing. It outlives all generations, and looks at them from outside.</summary>
internal sealed class LiveView(
    string application, Func<Generation> serving, SourceWatcher watcher, RetiredGenerations retired, TimeProvider clock) : IDisposable
{
    private readonly DateTimeOffset _processStarted = StartOfProcess();
    private readonly LivePools _pools = new();
    private readonly LiveAborts _aborts = new(clock);

    public LiveData Read() => new(
        application,
        serving() is { StopRequested: false, Finished.IsCompleted: false },
        _processStarted,
        watcher.Roots,
        retired.Known,
        _pools.Read(),
        _aborts.Read());

    public void Dispose()
    {
        _pools.Dispose();
        _aborts.Dispose();
    }

    private static DateTimeOffset StartOfProcess()
    {
        using var process = Process.GetCurrentProcess();
        return process.StartTime.ToUniversalTime();
    }
}
