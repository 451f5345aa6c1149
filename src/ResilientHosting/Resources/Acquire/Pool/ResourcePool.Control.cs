namespace ResilientHosting.Resources;

/// <content>What an operator and the host do with a pool.</content>
internal sealed partial class ResourcePool<T>
{
    public void Clear()
    {
        lock (_gate)
        {
            _generation++;
            TearDownIdle();
            Pump();
        }
    }

    public void Pause()
    {
        lock (_gate)
        {
            _isPaused = true;
        }
    }

    public void Resume()
    {
        lock (_gate)
        {
            _isPaused = false;
            Pump();
        }
    }

    /// <summary>Puts other options in force. They apply to objects that exist too; surplus ones go as soon as they are idle.</summary>
    /// <param name="options">Valid options.</param>
    public void Apply(ResourcePoolOptions<T> options)
    {
        lock (_gate)
        {
            Volatile.Write(ref _options, options);
            foreach (var entry in _entries)
            {
                entry.LimitLife(options.MaxLifetime);
            }

            while (_total - _tearingDown > options.MaxSize && _idle.Count > 0)
            {
                TearDown(_idle.RemoveOldest());
            }

            _upkeep?.Change(UpkeepInterval, UpkeepInterval);
            Pump();
        }
    }

    /// <summary>
    /// The host stops: nobody gets anything any more, idle objects are torn down now and those in use when they come back. Waits for all
    /// that is going on in the background, not for those in use: their scopes have had their time.
    /// </summary>
    public override async ValueTask ReturnAsync(TeardownContext context)
    {
        Task quiet;
        lock (_gate)
        {
            Close();
            _quiet ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            SignalIfQuiet();
            quiet = _quiet.Task;
        }

        await quiet.ConfigureAwait(false);
    }

    private void Close()
    {
        _isClosed = true;
        FailWaiters(_host.ClosedException(Name));
        foreach (var creation in _creations.Where(creation => !creation.IsGivenUp))
        {
            GiveUp(creation);
        }

        TearDownIdle();
        _wake.Dispose();
        _upkeep?.Dispose();
    }

    private void FailWaiters(Exception exception)
    {
        while (_waiters.First is { } first)
        {
            _waiters.RemoveFirst();
            first.Value.SetException(exception);
        }
    }

    private void TearDownIdle()
    {
        while (_idle.Count > 0)
        {
            TearDown(_idle.RemoveOldest());
        }
    }

    private void SignalIfQuiet()
    {
        if (_creations.Count == 0 && _validating == 0 && _tearingDown == 0)
        {
            _quiet?.TrySetResult();
        }
    }
}
