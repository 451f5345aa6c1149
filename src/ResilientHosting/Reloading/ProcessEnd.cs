using System.Runtime.InteropServices;

namespace ResilientHosting.Reloading;

/// <summary>
/// Decides when the process ends. An ordinary application ends when its <c>Main</c> returns; here a generation's <c>Main</c> returns
/// at every swap, so the process is held open from the first swap on and ended by us when a generation ends of its own accord.
/// </summary>
internal sealed class ProcessEnd : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private readonly CancellationTokenSource _asked = new();
    private readonly ManualResetEventSlim _exit = new();
    private PosixSignalRegistration[] _signals;
    private readonly TimeProvider _clock;
    private ITimer? _lastResort;
    private Thread? _foreground;
    private volatile bool _swapping;
    private int _exitCode;

    public ProcessEnd(TimeProvider clock)
    {
        _clock = clock;
        _signals = Listen();
    }

    /// <summary>Gets a token that is cancelled when the process has been asked to end.</summary>
    public CancellationToken Asked => _asked.Token;

    /// <summary>Between two generations no host listens for signals: until the result is disposed, they are ours to obey.</summary>
    public Scope BeginSwap()
    {
        if (_foreground is null)
        {
            // Only a foreground thread keeps the process alive once the process's own Main has returned.
            _foreground = new Thread(() =>
            {
                _exit.Wait();
                Environment.Exit(_exitCode);
            })
            {
                Name = "dev reloader (holds the process open)",
            };
            _foreground.UnsafeStart();
        }

        // The latest registration is called first. The old host's own handler waits for whatever the host does when it stops, perhaps
        // for ever, so ours has to come before it.
        var earlier = _signals;
        _signals = Listen();
        StopListening(earlier);

        _swapping = true;
        return new Scope(this);
    }

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
        if (_swapping)
        {
            context.Cancel = true;
            _lastResort ??= _clock.CreateTimer(_ => Exit(Environment.ExitCode), null, Patience, Timeout.InfiniteTimeSpan);
        }

        // Remembered even outside a swap: one may be about to begin, just as the host begins to stop.
        _asked.Cancel();
    }

    internal readonly struct Scope(ProcessEnd owner) : IDisposable
    {
        public void Dispose() => owner._swapping = false;
    }
}
