using System.Runtime.InteropServices;

namespace ResilientHosting.Reloading;

/// <summary>
/// Decides when the process ends. An ordinary application ends when its <c>Main</c> returns; here a generation's <c>Main</c> returns
/// at every swap, so the process is held open from the first swap on and ended by us when a generation ends of its own accord.
/// </summary>
internal sealed class ProcessEnd : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan MainLook = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource _asked = new();
    private readonly ManualResetEventSlim _exit = new();
    private readonly Lock _lock = new();
    private readonly TimeProvider _clock;
    private PosixSignalRegistration[] _signals;
    private ITimer? _lastResort;
    private Thread? _foreground;
    private volatile bool _inCharge;
    private int? _codeOfFailure;
    private int _exitCode;

    public ProcessEnd(TimeProvider clock)
    {
        _clock = clock;
        _signals = Listen();
    }

    /// <summary>Gets a token that is cancelled when the process has been asked to end.</summary>
    public CancellationToken Asked => _asked.Token;

    /// <summary>
    /// Hears of signals before the host that has just started does: once that one stops, it must be known whether it was told to.
    /// </summary>
    public void ListenFirst()
    {
        // The latest registration is called first.
        var earlier = _signals;
        _signals = Listen();
        StopListening(earlier);
    }

    /// <summary>Between two generations no host listens for signals: until the result is disposed, they are ours to obey.</summary>
    public Scope BeginSwap()
    {
        HoldOpen(static () => { });

        // The old host's own handler waits for whatever the host does when it stops, perhaps for ever, so ours has to come before it.
        ListenFirst();
        lock (_lock)
        {
            _codeOfFailure = null;
            _inCharge = true;
        }

        return new Scope(this);
    }

    /// <summary>No generation runs until the next edit. A signal ends the process, with this exit code.</summary>
    public void WaitForFix(int exitCode)
    {
        HoldOpen(static () => { });
        lock (_lock)
        {
            _codeOfFailure = exitCode;
            _inCharge = true;
        }

        if (_asked.IsCancellationRequested)
        {
            Exit(exitCode);
        }
    }

    /// <summary>
    /// The process's own start ends, of its own accord: holds the process open until its <c>Main</c> has returned and somebody has
    /// judged the exit code.
    /// </summary>
    public void HoldOpen(Generation initial, Thread main) => HoldOpen(() =>
    {
        // Nothing signals this: the runtime has no event for the return of Main, and a join waits for the operating system's thread.
        while (!initial.Finished.IsCompleted && !_exit.Wait(MainLook))
        {
            if (!main.IsAlive)
            {
                initial.SetFinished(Environment.ExitCode);
            }
        }
    });

    public void Exit(int exitCode)
    {
        _exitCode = exitCode;
        _exit.Set();
    }

    /// <summary>Ends the process if it was asked to end during a swap.</summary>
    /// <exception cref="OperationCanceledException">It was asked; the caller has nothing left to do.</exception>
    public void ExitIfAsked()
    {
        if (_asked.IsCancellationRequested)
        {
            Exit(Environment.ExitCode);
            _asked.Token.ThrowIfCancellationRequested();
        }
    }

    public void Dispose()
    {
        StopListening(_signals);
        _lastResort?.Dispose();
        _asked.Dispose();
        _exit.Dispose();
    }

    private void HoldOpen(Action before)
    {
        lock (_lock)
        {
            if (_foreground is not null)
            {
                return;
            }

            // Only a foreground thread keeps the process alive once the process's own Main has returned.
            _foreground = new Thread(() =>
            {
                before();
                _exit.Wait();
                Environment.Exit(_exitCode);
            })
            {
                Name = "dev reloader (holds the process open)",
            };
            _foreground.UnsafeStart();
        }
    }

    private PosixSignalRegistration[] Listen() => [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT }
        .Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];

    private static void StopListening(PosixSignalRegistration[] signals)
    {
        foreach (var signal in signals)
        {
            signal.Dispose();
        }
    }

    private void OnSignal(PosixSignalContext context)
    {
        int? codeOfFailure;
        lock (_lock)
        {
            codeOfFailure = _codeOfFailure;
            if (_inCharge)
            {
                context.Cancel = true;
                _lastResort ??= _clock.CreateTimer(_ => Exit(Environment.ExitCode), null, Patience, Timeout.InfiniteTimeSpan);
            }
        }

        // Remembered even outside a swap: one may be about to begin, just as the host begins to stop.
        _asked.Cancel();
        if (codeOfFailure is { } exitCode)
        {
            Exit(exitCode);
        }
    }

    private void EndSwap()
    {
        ListenFirst();
        lock (_lock)
        {
            _inCharge = _codeOfFailure is not null;
        }
    }

    internal readonly struct Scope(ProcessEnd owner) : IDisposable
    {
        public void Dispose() => owner.EndSwap();
    }
}
