namespace ResilientHosting.Aborts;

/// <summary>
/// The token of work that may outlive its client. It belongs to one request alone, fires when the policy's time is over or the
/// host runs out of time to stop, and at once for anything that is not the client's leaving.
/// </summary>
internal sealed class CompletingWork : IDisposable
{
    // What the host keeps for itself at the end of its shutdown time, to tear down what the cancelled work held.
    private static readonly TimeSpan ShutdownReserve = TimeSpan.FromSeconds(2);

    private readonly ClientAbortPolicy _policy;
    private readonly AbortSettings _settings;
    private readonly Lock _lock = new();

    // Never disposed: it owns neither a timer nor a handle, and a deadline may fire while the request ends.
    private readonly CancellationTokenSource _source = new();
    private readonly CancellationTokenRegistration _requestTimeout;
    private CancellationTokenRegistration _hostStopping;
    private ITimer? _deadline;
    private DateTimeOffset? _cancelledAt;
    private DateTimeOffset _deadlineAt = DateTimeOffset.MaxValue;
    private bool _outlivesClient;
    private bool _ended;

    public CompletingWork(ClientAbortPolicy policy, AbortSettings settings, CancellationToken requestTimeout)
    {
        _policy = policy;
        _settings = settings;
        _requestTimeout = requestTimeout.UnsafeRegister(static state => ((CompletingWork)state!).Cancel(), this);
    }

    public CancellationToken Token => _source.Token;

    public DateTimeOffset? CancelledAt
    {
        get
        {
            lock (_lock)
            {
                return _cancelledAt;
            }
        }
    }

    /// <summary>Whether a deadline, the policy's or the host's, cancelled the work.</summary>
    public bool IsExpired { get; private set; }

    public void OnAborted(ClientAbort abort)
    {
        if (!abort.IsByClient)
        {
            Cancel();
            return;
        }

        lock (_lock)
        {
            if (_ended || _outlivesClient)
            {
                return;
            }

            _outlivesClient = true;
            if (_policy.Within is { } within)
            {
                ExpireWithin(within);
            }
        }

        // Outside the lock: a host that is stopping already calls back right here.
        var hostStopping = _settings.HostStopping.UnsafeRegister(
            static state => ((CompletingWork)state!).OnHostStopping(), this);
        lock (_lock)
        {
            _hostStopping = hostStopping;
            if (_ended)
            {
                hostStopping.Unregister();
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _ended = true;
            _deadline?.Dispose();
            _requestTimeout.Unregister();
            _hostStopping.Unregister();
        }
    }

    private void OnHostStopping()
    {
        lock (_lock)
        {
            if (!_ended)
            {
                var budget = _settings.ShutdownTimeout - ShutdownReserve;
                ExpireWithin(budget > TimeSpan.Zero ? budget : TimeSpan.Zero);
            }
        }
    }

    private void ExpireWithin(TimeSpan time)
    {
        var deadlineAt = _settings.Clock.GetUtcNow() + time;
        if (deadlineAt >= _deadlineAt)
        {
            return;
        }

        _deadlineAt = deadlineAt;
        _deadline?.Dispose();
        _deadline = _settings.Clock.CreateTimer(
            static state => ((CompletingWork)state!).Expire(), this, time, Timeout.InfiniteTimeSpan);
    }

    private void Expire()
    {
        IsExpired = true;
        Cancel();
    }

    private void Cancel()
    {
        lock (_lock)
        {
            if (_ended || _cancelledAt is not null)
            {
                return;
            }

            _cancelledAt = _settings.Clock.GetUtcNow();
        }

        // Outside the lock: the callbacks are the application's.
        _source.CancelGuarded(_settings.Logger);
    }
}
