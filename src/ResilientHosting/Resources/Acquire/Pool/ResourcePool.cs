namespace ResilientHosting.Resources;

/// <summary>
/// A bounded pool: idle entries, a count of those in use, and a first-come-first-served queue, under one lock. Nobody overtakes the queue:
/// what becomes free goes to its head. Waiters wait for deliveries only; objects are created, validated and torn down in the background,
/// and whatever is ready first is delivered, whoever it was started for. No user code and no continuation runs under the lock.
/// <para>
/// A slot is taken from before an object's creation until after its teardown, so <c>_total</c> never exceeds the limit and no backend
/// sees more. Whatever frees a slot or an entry ends in <see cref="Pump"/>, which is why no wake-up is lost.
/// </para>
/// </summary>
internal sealed partial class ResourcePool<T> : OwnedObject, IResourcePool<T>
    where T : class
{
    private readonly Lock _gate = new();
    private readonly IdleEntries<T> _idle = new();
    private readonly HashSet<PoolEntry<T>> _entries = [];
    private readonly LinkedList<PoolWaiter<T>> _waiters = new();
    private readonly CreationPacer _pacer = new();
    private readonly IServiceProvider _services;
    private readonly ResourceDefinition<T> _definition;
    private readonly ResourceEnvironment _environment;
    private readonly HostScope _host;
    private readonly CoarseClock _clock;
    private ResourcePoolOptions<T> _options;
    private int _total;
    private int _used;
    private int _validating;
    private int _tearingDown;
    private int _generation;
    private int _disappointments;
    private bool _isPaused;
    private bool _isClosed;
    private bool _nestingReported;

    /// <param name="services">The host's services.</param>
    /// <param name="definition">Makes and ends one object.</param>
    /// <param name="options">Valid options.</param>
    public ResourcePool(IServiceProvider services, ResourceDefinition<T> definition, ResourcePoolOptions<T> options)
    {
        _services = services;
        _definition = definition;
        _environment = services.GetRequiredService<ResourceEnvironment>();
        _host = services.GetRequiredService<HostScope>();
        _clock = _environment.Clock;
        _options = options;
        _wake = _environment.Time.CreateTimer(static pool => ((ResourcePool<T>)pool!).OnWake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public override string Name => _definition.Name;

    /// <summary>The options in force.</summary>
    public ResourcePoolOptions<T> Settings => Volatile.Read(ref _options);

    public ResourcePoolStatistics Statistics
    {
        get
        {
            lock (_gate)
            {
                return Count();
            }
        }
    }

    /// <summary>Why the last creation failed; <see langword="null"/> if it did not.</summary>
    public Exception? CreationError
    {
        get
        {
            lock (_gate)
            {
                return _pacer.LastError;
            }
        }
    }

    /// <summary>Takes an object that is at hand and known to work; <see langword="null"/> if there is none, or others wait.</summary>
    public PoolEntry<T>? TryAcquire(ResourceStack holder)
    {
        lock (_gate)
        {
            if (_waiters.Count > 0 || _isPaused || _idle.Count == 0)
            {
                return null;
            }

            // Age is looked at when an object comes back and from time to time while it is idle: no clock is read here unless it must be.
            var entry = NextIdle;
            if (entry.Generation != _generation || (_options.Validate is not null && NeedsValidation(entry, _clock.Now)))
            {
                return null;
            }

            RemoveNextIdle();
            Lend(entry, holder);
            if (_idle.Count < _options.MinIdle)
            {
                Pump();
            }

            return entry;
        }
    }

    /// <summary>Waits for an object. <paramref name="cancellationToken"/> ends the wait and nothing else.</summary>
    /// <exception cref="ResourceAcquireTimeoutException">There was none in time, or too many wait.</exception>
    /// <exception cref="ResourceCycleException">The object would be made from itself.</exception>
    /// <exception cref="ResourceScopeClosedException">The host has stopped.</exception>
    public ValueTask<PoolEntry<T>> AcquireAsync(ResourceStack holder, Lineage? lineage, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var extended = Lineage.Extend(lineage, this, Name);
        if (TryAcquire(holder) is { } atHand)
        {
            return new ValueTask<PoolEntry<T>>(atHand);
        }

        LinkedListNode<PoolWaiter<T>> node;
        string? nestedIn;
        lock (_gate)
        {
            _host.ThrowIfClosed(Name);

            // Those for whom there is a slot only wait for a creation.
            if (_waiters.Count - (_options.MaxSize - _used) >= _options.MaxWaiters)
            {
                throw Failure(TimeSpan.Zero);
            }

            node = _waiters.AddLast(new PoolWaiter<T>(holder, extended));
            nestedIn = CheckNesting(holder);
            Pump();
        }

        if (nestedIn is not null)
        {
            ResourceLog.NestedAcquire(_environment.Logger, Name, holder.Name, nestedIn);
        }

        return node.Value.Task.IsCompletedSuccessfully
            ? new ValueTask<PoolEntry<T>>(node.Value.Task.Result)
            : WaitAsync(node, cancellationToken);
    }

    /// <summary>Takes an object back. One whose user failed is validated before anybody gets it.</summary>
    public void Return(PoolEntry<T> entry, bool isSuspect)
    {
        lock (_gate)
        {
            if (!TryTakeBack(entry))
            {
                return;
            }

            entry.IsSuspect |= isSuspect;
            Shelve(entry, _clock.Now);
        }
    }

    /// <summary>Takes an object back that cannot be used again.</summary>
    public void Discard(PoolEntry<T> entry)
    {
        lock (_gate)
        {
            if (TryTakeBack(entry))
            {
                TearDown(entry);
            }
        }
    }

    /// <summary>Gives an object in use away for good.</summary>
    public void Detach(PoolEntry<T> entry)
    {
        lock (_gate)
        {
            if (TryTakeBack(entry))
            {
                _entries.Remove(entry);
                _total--;
                Pump();
            }
        }

        entry.Owner.Detach(_host);
    }

    private async ValueTask<PoolEntry<T>> WaitAsync(LinkedListNode<PoolWaiter<T>> node, CancellationToken cancellationToken)
    {
        var timeout = _options.AcquireTimeout;
        var timer = _environment.Time.CreateTimer(
            _ => Leave(node, () => Failure(timeout)), state: null, timeout, Timeout.InfiniteTimeSpan);
        await using (timer.ConfigureAwait(false))
        {
            var registration = cancellationToken.UnsafeRegister(
                (_, token) => Leave(node, () => new OperationCanceledException(token)), state: null);
            await using (registration.ConfigureAwait(false))
            {
                return await node.Value.Task.ConfigureAwait(false);
            }
        }
    }

    /// <summary>Leaves the queue, unless an object has been delivered: that is then the answer.</summary>
    private void Leave(LinkedListNode<PoolWaiter<T>> node, Func<Exception> reason)
    {
        lock (_gate)
        {
            if (node.List is not null)
            {
                // Before the waiter goes: it is part of the picture.
                var exception = reason();
                _waiters.Remove(node);
                node.Value.SetException(exception);
            }
        }
    }

    // Everything below is called under the gate.
    private PoolEntry<T> NextIdle => _options.Order == ResourcePoolOrder.Lifo ? _idle.Newest : _idle.Oldest;

    private void RemoveNextIdle()
    {
        if (_options.Order == ResourcePoolOrder.Lifo)
        {
            _idle.RemoveNewest();
        }
        else
        {
            _idle.RemoveOldest();
        }
    }

    private bool IsStale(PoolEntry<T> entry, long now) => entry.Generation != _generation || now >= entry.ExpiresAt;

    private bool NeedsValidation(PoolEntry<T> entry, long now) =>
        _options.Validate is not null &&
        (entry.IsSuspect || entry.Trust != _disappointments || now - entry.IdleSince > _options.ValidationBypass.TotalMilliseconds);

    /// <summary>Lends an entry that is in no list.</summary>
    private void Lend(PoolEntry<T> entry, ResourceStack holder)
    {
        _used++;
        entry.Holder = holder;
    }

    /// <summary>Ends a loan. False if it had ended already.</summary>
    private bool TryTakeBack(PoolEntry<T> entry)
    {
        if (entry.Holder is null)
        {
            return false;
        }

        entry.Holder = null;
        _used--;
        return true;
    }

    /// <summary>Gives an entry to the head of the queue.</summary>
    private void Deliver(PoolEntry<T> entry)
    {
        var waiter = _waiters.First!.Value;
        _waiters.RemoveFirst();
        Lend(entry, waiter.Holder);
        waiter.SetResult(entry);
    }

    /// <summary>Makes an entry that is free available, or ends it.</summary>
    private void Shelve(PoolEntry<T> entry, long now)
    {
        if (_isClosed || _total - _tearingDown > _options.MaxSize || IsStale(entry, now))
        {
            TearDown(entry);
            return;
        }

        entry.IdleSince = now;
        _idle.Add(entry);
        if (_waiters.Count > 0)
        {
            Pump();
        }
    }

    /// <summary>Delivers what is at hand to those who wait, and starts what is needed for the rest.</summary>
    private void Pump()
    {
        if (_isPaused || _isClosed)
        {
            return;
        }

        var now = _clock.Now;
        while (_waiters.Count > 0 && _idle.Count > 0)
        {
            var entry = NextIdle;
            if (IsStale(entry, now))
            {
                RemoveNextIdle();
                TearDown(entry);
            }
            else if (!NeedsValidation(entry, now))
            {
                RemoveNextIdle();
                Deliver(entry);
            }
            else if (_validating < _waiters.Count)
            {
                RemoveNextIdle();
                StartValidation(entry);
            }
            else
            {
                break;
            }
        }

        StartCreations(now);
    }

    private ResourcePoolStatistics Count() =>
        new(_total, _used, _idle.Count, _validating, _creations.Count, _waiters.Count, _options.MaxSize);

    private ResourceAcquireTimeoutException Failure(TimeSpan waited)
    {
        var reason = _isPaused ? ResourceAcquireFailure.Paused
            : _used >= _options.MaxSize ? ResourceAcquireFailure.Exhausted
            : _pacer.IsFailing ? ResourceAcquireFailure.BackendFailing
            : _creations.Count > 0 ? ResourceAcquireFailure.Creating
            : ResourceAcquireFailure.Exhausted;
        var cause = reason is ResourceAcquireFailure.BackendFailing or ResourceAcquireFailure.Creating ? _pacer.LastError : null;
        return PoolFailure.Create(Name, reason, Count(), waited, cause);
    }

    /// <summary>
    /// A scope that holds one object and waits for another lives on luck: enough of them, and none will ever be returned. Returns, once for
    /// the pool, the scope that holds one.
    /// </summary>
    /// <exception cref="ResourceAcquireTimeoutException">That has happened: nothing would be returned any more.</exception>
    private string? CheckNesting(ResourceStack holder)
    {
        var own = _entries.FirstOrDefault(entry => entry.Holder is { } other && holder.IsWithin(other));
        if (own is null)
        {
            return null;
        }

        if (_used == _total && _total >= _options.MaxSize &&
            _entries.All(entry => _waiters.Any(waiter => waiter.Holder.IsWithin(entry.Holder!))))
        {
            var exception = PoolFailure.Create(Name, ResourceAcquireFailure.Deadlocked, Count(), TimeSpan.Zero, cause: null);
            _waiters.RemoveLast();
            throw exception;
        }

        var isFirst = !_nestingReported;
        _nestingReported = true;
        return isFirst ? own.Holder!.Name : null;
    }
}
