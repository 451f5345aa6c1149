namespace ResilientHosting.Resources;

/// <content>What the pool does in the background: create, validate, tear down, and look after what lies idle.</content>
internal sealed partial class ResourcePool<T>
{
    private static readonly TimeSpan LongestUpkeepInterval = TimeSpan.FromSeconds(30);

    private readonly HashSet<PoolCreation> _creations = [];
    private readonly ITimer _wake;
    private ITimer? _upkeep;
    private int _hanging;
    private int _givenUp;
    private bool _isOwned;
    private bool _hasWorked;
    private TaskCompletionSource? _quiet;

    private int Fresh => _creations.Count - _hanging - _givenUp;

    /// <summary>Starts creations for those who wait, or else for the idle reserve, as far as slots and the pacer allow.</summary>
    private void StartCreations(long now)
    {
        while (true)
        {
            var demanded = _waiters.Count > 0;
            var missing = demanded
                ? _waiters.Count - _validating - Fresh
                : _hasWorked ? _options.MinIdle - _idle.Count - _validating - Fresh : 0;
            if (missing <= 0 || _total >= _options.MaxSize || Fresh >= _pacer.Limit(_options.MaxConcurrentCreates))
            {
                return;
            }

            var start = _pacer.NextStart(demanded);
            if (start > now)
            {
                _wake.Change(TimeSpan.FromMilliseconds(start - now), Timeout.InfiniteTimeSpan);
                return;
            }

            StartCreation(_waiters.First?.Value.Lineage ?? new Lineage(this, Name, Parent: null));
        }
    }

    private void StartCreation(Lineage lineage)
    {
        // From here on the end of the host waits for what is going on here.
        _isOwned = _isOwned || _host.TryOwn(this);
        var creation = new PoolCreation(lineage, _generation, _clock.Now, _pacer.Patience);
        _creations.Add(creation);
        _total++;
        creation.HangTimer = _environment.Time.CreateTimer(_ => OnSilence(creation), state: null, creation.Patience, Timeout.InfiniteTimeSpan);

        // Without the request's execution context: the object and what it starts outlive the request.
        ThreadPool.UnsafeQueueUserWorkItem(static start => _ = start.Pool.CreateAsync(start.Creation), (Pool: this, Creation: creation), false);
    }

    private async Task CreateAsync(PoolCreation creation)
    {
        HostObject<T>? created = null;
        Exception? failure = null;
        try
        {
            created = await HostObject<T>.CreateAsync(_services, _definition, creation.Lineage, creation.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The failure is kept for those who wait.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            failure = exception;
        }

        lock (_gate)
        {
            _creations.Remove(creation);
            _hanging -= creation.IsHanging ? 1 : 0;
            _givenUp -= creation.IsGivenUp ? 1 : 0;
            creation.Dispose();
            if (created is not null)
            {
                OnCreated(creation, created);
            }
            else
            {
                _total--;
                if (!creation.IsGivenUp)
                {
                    OnCreationFailed(failure!);
                }
            }

            Pump();
            SignalIfQuiet();
        }
    }

    private void OnCreated(PoolCreation creation, HostObject<T> created)
    {
        var now = _clock.Now;
        var lifetime = 1 + (_options.LifetimeJitter * ((Random.Shared.NextDouble() * 2) - 1));
        var entry = new PoolEntry<T>(created, creation.Generation, _disappointments, lifetime, now);
        entry.LimitLife(_options.MaxLifetime);
        _entries.Add(entry);
        _pacer.OnSuccess(now - creation.StartedAt);

        // What the first object was made from must be closed after the pool, so the pool counts as made only now.
        if (!_hasWorked && !_host.TryOwn(this))
        {
            Close();
        }

        _hasWorked = true;

        _upkeep ??= _environment.Time.CreateTimer(static pool => ((ResourcePool<T>)pool!).OnUpkeep(), this, UpkeepInterval, UpkeepInterval);
        Introduce(entry, now);
    }

    /// <summary>Takes in an entry that works at this moment: whoever waits gets it without another question.</summary>
    private void Introduce(PoolEntry<T> entry, long now)
    {
        if (_waiters.Count > 0 && !_isPaused && !_isClosed && !IsStale(entry, now))
        {
            Deliver(entry);
        }
        else
        {
            Shelve(entry, now);
        }
    }

    private void OnCreationFailed(Exception failure)
    {
        _pacer.OnFailure(_clock.Now, failure);

        // An outage is waited out. What has never worked is a mistake in the set-up, and whoever made it wants to know at once.
        if (!_hasWorked || failure is ResourceCycleException)
        {
            FailWaiters(failure);
        }
    }

    /// <summary>A creation is silent. The first ones may wait on; those behind them are given up to make room for new ones.</summary>
    private void OnSilence(PoolCreation creation)
    {
        lock (_gate)
        {
            if (!_creations.Contains(creation) || creation.IsGivenUp)
            {
                return;
            }

            if (_hanging < _options.MaxConcurrentCreates)
            {
                creation.IsHanging = true;
                _hanging++;
            }
            else
            {
                GiveUp(creation);
                _pacer.OnFailure(_clock.Now, new TimeoutException($"The creation of {Name} did not answer within {creation.Patience:c}."));
            }

            Pump();
        }
    }

    private void GiveUp(PoolCreation creation)
    {
        _givenUp++;
        _hanging -= creation.IsHanging ? 1 : 0;
        creation.IsHanging = false;
        creation.GiveUp();
    }

    private void OnWake()
    {
        lock (_gate)
        {
            Pump();
        }
    }

    private void StartValidation(PoolEntry<T> entry)
    {
        _validating++;
        ThreadPool.UnsafeQueueUserWorkItem(
            static start => _ = start.Pool.ValidateAsync(start.Entry, start.Validate),
            (Pool: this, Entry: entry, Validate: _options.Validate!),
            preferLocal: false);
    }

    private async Task ValidateAsync(PoolEntry<T> entry, Func<T, CancellationToken, ValueTask<bool>> validate)
    {
        var works = false;
        try
        {
            var timeout = Settings.ValidationTimeout;
            using var cancellation = new CancellationTokenSource(timeout, _environment.Time);
            var validating = validate(entry.Value, cancellation.Token).AsTask().Observed();
            works = await validating.WaitAsync(timeout, _environment.Time).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A validation that throws has said no.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            ResourceLog.ValidationFailed(_environment.Logger, Name, exception);
        }

        lock (_gate)
        {
            _validating--;
            var now = _clock.Now;
            if (works)
            {
                entry.IsSuspect = false;
                entry.Trust = _disappointments;
                Introduce(entry, now);
            }
            else
            {
                // Objects that were fine before this one broke may have broken with it.
                _disappointments++;
                TearDown(entry);
            }

            Pump();
            SignalIfQuiet();
        }
    }

    /// <summary>Ends an entry that is in no list. Its slot is free only when that is done.</summary>
    private void TearDown(PoolEntry<T> entry)
    {
        _tearingDown++;
        ThreadPool.UnsafeQueueUserWorkItem(static end => _ = end.Pool.TearDownAsync(end.Entry), (Pool: this, Entry: entry), preferLocal: false);
    }

    private async Task TearDownAsync(PoolEntry<T> entry)
    {
        // Limited in time, and never throws.
        await entry.Owner.DestroyAsync(_isClosed ? ScopeOutcomeKind.HostStopping : ScopeOutcomeKind.Abandoned).ConfigureAwait(false);
        lock (_gate)
        {
            _tearingDown--;
            _total--;
            _entries.Remove(entry);
            Pump();
            SignalIfQuiet();
        }
    }

    private TimeSpan UpkeepInterval
    {
        get
        {
            var shortest = new[] { _options.IdleTimeout, _options.MaxLifetime }
                .Where(life => life != Timeout.InfiniteTimeSpan)
                .Select(life => life / 2)
                .Append(LongestUpkeepInterval)
                .Min();
            return TimeSpan.FromMilliseconds(Math.Max(100, shortest.TotalMilliseconds));
        }
    }

    /// <summary>Ends idle entries whose time is over and keeps the reserve filled.</summary>
    private void OnUpkeep()
    {
        lock (_gate)
        {
            var now = _clock.Now;
            for (var i = 0; i < _idle.Count;)
            {
                var entry = _idle[i];
                var isSurplus = _options.IdleTimeout != Timeout.InfiniteTimeSpan && _idle.Count > _options.MinIdle &&
                    now - entry.IdleSince >= _options.IdleTimeout.TotalMilliseconds;
                if (isSurplus || IsStale(entry, now))
                {
                    _idle.RemoveAt(i);
                    TearDown(entry);
                }
                else
                {
                    i++;
                }
            }

            Pump();
        }
    }
}
