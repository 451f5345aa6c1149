using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ResilientHosting.Reloading;

/// <summary>
/// Decides when the process ends. An ordinary application ends when its <c>Main</c> returns; here a generation's <c>Main</c> returns
/// at every swap, so the process is held open from the first swap on and ended by us when a generation ends of its own accord.
/// </summary>
internal sealed class ProcessEnd : IDisposable
{
    private const int CodeOfAnException = 1;
    private const int CodeOfCtrlC = 130;

    // More than the 3 seconds that a host is granted, and less than the 5 within which the process is to be gone.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3.5);

    // Task runners pass Ctrl+C on to a process that has got it from the terminal as well.
    private static readonly TimeSpan SameKeyPress = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MainLook = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource _asked = new();
    private readonly ManualResetEventSlim _exit = new();
    private readonly Lock _lock = new();
    private readonly InitialGeneration _initial;
    private readonly Func<Generation> _serving;
    private readonly ReloadConsole _console;
    private readonly TimeProvider _clock;
    private PosixSignalRegistration[] _signals;
    private ITimer? _lastResort;
    private Thread? _foreground;
    private long _askedAt;
    private int? _codeOfFailure;
    private int _exitCode;
    private volatile bool _inCharge;
    private volatile bool _swapped;
    private volatile bool _ending;

    public ProcessEnd(InitialGeneration initial, Func<Generation> serving, ReloadConsole console)
    {
        _initial = initial;
        _serving = serving;
        _console = console;
        _clock = initial.Seams.Clock;
        _signals = Listen();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => NoticeEnd();
    }

    /// <summary>Gets a token that is cancelled when the process has been asked to end, or ends without having been asked.</summary>
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

    /// <summary>Hears of exceptions that nobody else has taken care of: they end a process without further notice.</summary>
    public void ListenForCrashes() => AppDomain.CurrentDomain.UnhandledException += (_, _) => NoticeEnd();

    /// <summary>Between two generations no host listens for signals: until the result is disposed, they are ours to obey.</summary>
    public Scope BeginSwap()
    {
        HoldOpen();

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
        HoldOpen();
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

    /// <summary>Keeps the process alive when its own <c>Main</c> has returned, and watches for that return.</summary>
    public void HoldOpen()
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
                WatchMain();
                _exit.Wait();
                Environment.Exit(_exitCode);
            })
            {
                Name = "dev reloader (holds the process open)",
            };
            _foreground.UnsafeStart();
        }
    }

    /// <summary>Ends the process, unless it is ending already.</summary>
    public void Exit(int exitCode)
    {
        lock (_lock)
        {
            // Whoever ends it has said with which code; a second call of Environment.Exit would replace that.
            if (_ending || _exit.IsSet)
            {
                return;
            }

            _exitCode = exitCode;
            _exit.Set();
        }

        HoldOpen();
    }

    /// <summary>Ends the process with the exit code of its last generation, once that has ended.</summary>
    public async Task ExitAfterAsync(Generation last)
    {
        if (!last.Stopped.IsCompleted || (last == _initial.Generation && _initial.MainThread is null))
        {
            // It was left behind, or its end can't be seen.
            Exit(Environment.ExitCode);
            return;
        }

        try
        {
            Exit(await last.Finished.ConfigureAwait(false));
        }
#pragma warning disable CA1031 // What the application throws at its very end decides the exit code, as it would without us.
        catch (Exception)
#pragma warning restore CA1031
        {
            Exit(CodeOfAnException);
        }
    }

    public void Dispose()
    {
        StopListening(_signals);
        _lastResort?.Dispose();
        _asked.Dispose();
        _exit.Dispose();
    }

    private static void StopListening(PosixSignalRegistration[] signals)
    {
        foreach (var signal in signals)
        {
            signal.Dispose();
        }
    }

    /// <summary>Nothing signals this: the runtime has no event for the return of Main, and a join waits for the operating system's thread.</summary>
    private void WatchMain()
    {
        while (_initial.MainThread is { } main && !_initial.Generation.Finished.IsCompleted && !_swapped && !_exit.Wait(MainLook))
        {
            if (!main.IsAlive)
            {
                _initial.Generation.SetFinished(Environment.ExitCode);
            }
        }
    }

    private PosixSignalRegistration[] Listen()
    {
        var registrations = new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT }
            .Select(signal => PosixSignalRegistration.Create(signal, OnSignal));

        // A hang-up ends a process, except the first of a container.
        return Environment.ProcessId == 1 ? [.. registrations] : [.. registrations, PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnHangUp)];
    }

    private void OnSignal(PosixSignalContext context)
    {
        int? exitCode;
        lock (_lock)
        {
            exitCode = _codeOfFailure;
            var isFirst = _askedAt == 0;
            if (isFirst)
            {
                _askedAt = _clock.GetTimestamp();
                _lastResort = _clock.CreateTimer(_ => EndAnyway(), null, Patience, Timeout.InfiniteTimeSpan);
            }
            else if (context.Signal == PosixSignal.SIGINT && _clock.GetElapsedTime(_askedAt) > SameKeyPress)
            {
                exitCode = CodeOfCtrlC;
            }

            // Where no host listens, a signal would do what it does to every process.
            if (_inCharge || exitCode is not null || (!isFirst && _foreground is not null))
            {
                context.Cancel = true;
            }
        }

        // Remembered even outside a swap: one may be about to begin, just as the host begins to stop.
        _asked.Cancel();
        if (exitCode is { } code)
        {
            Exit(code);
        }
    }

    private void OnHangUp(PosixSignalContext context)
    {
        // Left to do what it does to every process, unless the application has said otherwise.
        if (!context.Cancel)
        {
            _asked.Cancel();
        }
    }

    private void NoticeEnd()
    {
        _ending = true;
        _asked.Cancel();
    }

    private void EndAnyway()
    {
        if (_ending)
        {
            // Something waits for ever in an event of the process's end.
            Process.GetCurrentProcess().Kill();
        }
        else if (_inCharge || (_serving().IsStopping && !Debugger.IsAttached))
        {
            _console.Say($"the application has not stopped {Patience.TotalSeconds:0.0} s after it was told to; the process ends without it");
            Exit(Environment.ExitCode);
        }
    }

    private void EndSwap()
    {
        _swapped = true;
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
