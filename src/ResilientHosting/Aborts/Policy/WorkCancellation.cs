namespace ResilientHosting.Aborts;

/// <summary>
/// The source of the token a request's work runs under. It belongs to one request alone (the server uses its own token again for
/// the next request on the connection), follows the endpoint's policy when the client leaves, and can hold a cancellation back
/// while a <see cref="CancellationDeferral"/> is open. A token source itself, because a request should not pay for two objects.
/// </summary>
internal sealed class WorkCancellation(ClientAbortPolicy policy, AbortSettings settings) : CancellationTokenSource
{
    // Guards every field below. Cancel() is always called outside it: the callbacks are the application's.
    private readonly Lock _lock = new();
    private CancellationTokenRegistration _requestTimeout;
    private ITimer? _deadline;
    private DateTimeOffset _deadlineAt = DateTimeOffset.MaxValue;
    private int _deferrals;
    private AbortOutcome? _deferred;
    private AbortOutcome? _cancelledAs;
    private DateTimeOffset? _cancelledAt;
    private bool _ended;

    /// <summary>When the token fired, or <see langword="null"/>.</summary>
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

    /// <summary>Why the token fired, or <see langword="null"/>.</summary>
    public AbortOutcome? CancelledAs
    {
        get
        {
            lock (_lock)
            {
                return _cancelledAs;
            }
        }
    }

    /// <summary>Lets a request time-out cancel the work, which a token of the work's own would otherwise cut off.</summary>
    public void LinkTo(CancellationToken requestTimeout) => _requestTimeout = requestTimeout.UnsafeRegister(
        static state => ((WorkCancellation)state!).Cancel(AbortOutcome.Cancelled), this);

    /// <summary>Follows another policy from now on.</summary>
    public void Follow(ClientAbortPolicy other) => policy = other;

    /// <summary>Ends the work in the way the policy has for this abort.</summary>
    public void OnAborted(ClientAbort abort, Orphan? orphan)
    {
        if (policy.Behavior == ClientAbortBehavior.Cancel || !abort.IsByClient)
        {
            Cancel(AbortOutcome.Cancelled);
            return;
        }

        if (orphan is null || !settings.Orphans.TryAdmit(orphan))
        {
            Cancel(AbortOutcome.Overflow);
            return;
        }

        var cap = settings.Options.OrphanHardCap;
        if (policy.Within is { } within && within <= cap)
        {
            CancelWithin(within, AbortOutcome.Expired);
        }
        else
        {
            CancelWithin(cap, AbortOutcome.Capped);
        }
    }

    /// <summary>Cancels the work after a time, unless it ends or is to be cancelled earlier.</summary>
    public void CancelWithin(TimeSpan time, AbortOutcome outcome)
    {
        lock (_lock)
        {
            var deadlineAt = settings.Clock.GetUtcNow() + time;
            if (_ended || deadlineAt >= _deadlineAt)
            {
                return;
            }

            _deadlineAt = deadlineAt;
            _deadline?.Dispose();
            _deadline = settings.Clock.CreateTimer(_ => Cancel(outcome), null, time, Timeout.InfiniteTimeSpan);
        }
    }

    public IDisposable Defer(TimeSpan cap)
    {
        bool isTooLate;
        lock (_lock)
        {
            _deferrals++;
            isTooLate = _cancelledAs is not null;
        }

        if (isTooLate)
        {
            // Another thread has decided to fire the token, and may be about to. Whoever looks at it inside the deferral must find
            // it fired from the start: it must not fire half-way.
            this.CancelGuarded(settings.Logger);
        }

        return new CancellationDeferral(this, settings.Clock, cap);
    }

    /// <summary>Delivers what was held back, once nobody holds it back any more.</summary>
    public void EndDeferral()
    {
        AbortOutcome? outcome;
        lock (_lock)
        {
            outcome = --_deferrals == 0 ? _deferred : null;
        }

        if (outcome is { } deferred)
        {
            Cancel(deferred);
        }
    }

    /// <summary>The request is over: nothing fires the token any more.</summary>
    public void End()
    {
        // Not disposed of: a source without timer and wait handle holds nothing, and a deadline may just be firing.
        lock (_lock)
        {
            _ended = true;
            _deadline?.Dispose();
        }

        _requestTimeout.Unregister();
    }

    private void Cancel(AbortOutcome outcome)
    {
        lock (_lock)
        {
            if (_ended || _cancelledAs is not null)
            {
                return;
            }

            if (_deferrals > 0)
            {
                _deferred ??= outcome;
                return;
            }

            _cancelledAs = outcome;
            _cancelledAt = settings.Clock.GetUtcNow();
        }

        this.CancelGuarded(settings.Logger);
    }
}
