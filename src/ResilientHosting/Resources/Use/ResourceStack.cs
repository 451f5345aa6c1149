namespace ResilientHosting.Resources;

/// <summary>
/// The resources of one scope in the order in which their creation completed, and the latch that tears them down once. A scoped service: a
/// scope that injects no resource never gets one.
/// </summary>
internal sealed partial class ResourceStack(IServiceProvider services, ResourceEnvironment environment)
{
    private Chain<OwnedObject> _resources;
    private Chain<CreationAttempt> _attempts;
    private Chain<BoundResource> _bound;
    private Task _running = Task.CompletedTask;
    private TaskCompletionSource? _settled;
    private TaskCompletionSource? _closed;
    private bool _tornDown;
    private int _releases;
    private ScopeOutcome? _outcome;
    private long _closedAt;

    /// <summary>Guards the stack and the state of all resources in it. No user code runs under it.</summary>
    public Lock Gate { get; } = new();

    public ResourceEnvironment Environment { get; } = environment;

    public IServiceProvider Services { get; } = services;

    /// <summary>Whether the scope's end has begun. Until it is their turn, objects are still handed out to the teardowns of others.</summary>
    public bool IsClosed => Volatile.Read(ref _outcome) is not null;

    /// <summary>Whether nothing is going on that uses the scope's objects. Read under the gate.</summary>
    private bool IsSettled => _attempts.IsEmpty && _releases == 0 && _children is not { Count: > 0 };

    /// <summary>A resource as the services of this scope hand it out: always the same one.</summary>
    public RequestResource<T> Bind<T>(ResourceDefinition<T> definition)
        where T : class
    {
        var scope = _origin ?? this;
        lock (scope.Gate)
        {
            for (var bound = scope._bound.Newest; bound is not null; bound = bound.Older)
            {
                if (ReferenceEquals(bound.Definition, definition))
                {
                    return (RequestResource<T>)bound;
                }
            }

            var resource = new RequestResource<T>(scope, definition);
            scope._bound.Push(resource);
            return resource;
        }
    }

    // The members down to LeaveRelease are called under the gate.
    public void Push(OwnedObject resource)
    {
        _resources.Push(resource);
        _mayDetach |= resource.DetachesTeardown;
        _mayEndWithHandler |= resource.EndsWithHandler;
    }

    /// <summary>Makes a resource the newest, whether it was here before or not.</summary>
    public void Renew(OwnedObject resource)
    {
        _resources.Remove(resource);
        Push(resource);
    }

    public void Remove(OwnedObject resource)
    {
        _resources.Remove(resource);
        resource.OnRemoved();
    }

    public void EnterAttempt(CreationAttempt attempt) => _attempts.Push(attempt);

    public void LeaveAttempt(CreationAttempt attempt)
    {
        if (_attempts.Remove(attempt))
        {
            SignalIfSettled();
        }
    }

    public void EnterRelease() => _releases++;

    public void LeaveRelease()
    {
        _releases--;
        SignalIfSettled();
    }

    public void ThrowIfClosed(string resource)
    {
        if (IsClosed)
        {
            throw ClosedException(resource);
        }
    }

    public ResourceScopeClosedException ClosedException(string resource) =>
        new(resource, Name, TimeSpan.FromMilliseconds(Environment.Clock.Now - _closedAt), _outcome!, isEnding: !_tornDown);

    /// <summary>Ends the scope: tears everything down, newest first. Only the first call's outcome counts; all wait for the end.</summary>
    public Task CloseAsync(ScopeOutcome outcome)
    {
        lock (Gate)
        {
            if (_outcome is not null)
            {
                return _tornDown
                    ? Task.CompletedTask
                    : (_closed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            _closedAt = Environment.Clock.Now;
            Volatile.Write(ref _outcome, outcome);
            _tornDown = _resources.IsEmpty && IsSettled;
            if (_tornDown)
            {
                HttpContext = null;
            }
            else if (!IsSettled)
            {
                _settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                foreach (var attempt in _attempts.NewestFirst)
                {
                    attempt.Cancel();
                }
            }
        }

        if (_tornDown)
        {
            // Outside the gate: the parent's gate may be taken next, never one within the other.
            LeaveLiveScopes();
            return Task.CompletedTask;
        }

        if (_ambient is null)
        {
            return TearDownAllAsync();
        }

        // As below, without the closure: this is every request's way.
        ExecutionContext.Run(_ambient, static stack => ((ResourceStack)stack!)._running = ((ResourceStack)stack).TearDownAllAsync(), this);
        return _running;
    }

    /// <summary>The doors are entered without the AsyncLocals of the code that used the resources.</summary>
    private Task RunAsync(Func<Task> teardown)
    {
        if (_ambient is null)
        {
            return teardown();
        }

        var running = Task.CompletedTask;
        ExecutionContext.Run(_ambient, _ => running = teardown(), state: null);
        return running;
    }

    private async Task TearDownAllAsync()
    {
        var teardown = new Teardown(this, _outcome!);
        var goesOnElsewhere = false;
        try
        {
            TeardownActivity.EnterRequest(HttpContext);
            await WaitUntilSettledAsync(teardown.Budget).ConfigureAwait(false);
            while (!(goesOnElsewhere = TryDetach(teardown)) && TryPop() is { } newest)
            {
                await teardown.RunAsync(newest).ConfigureAwait(false);
            }

            if (!goesOnElsewhere)
            {
                teardown.Report();
            }
        }
        finally
        {
            if (!goesOnElsewhere)
            {
                End();
            }
        }
    }

    private void End()
    {
        lock (Gate)
        {
            // The server uses the context again, for another request.
            HttpContext = null;
            _tornDown = true;
            _closed?.SetResult();
        }

        LeaveLiveScopes();
    }

    /// <summary>What is in flight, and scopes opened in this one, use what is older, so their end comes first.</summary>
    private async ValueTask WaitUntilSettledAsync(TimeSpan budget)
    {
        if (_settled is null)
        {
            return;
        }

        try
        {
            await _settled.Task.WaitAsync(budget, Environment.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            string[] creating;
            string[] children;
            lock (Gate)
            {
                creating = [.. _attempts.NewestFirst.Select(attempt => attempt.Name)];
                children = [.. (_children ?? []).Select(child => child.Name)];
            }

            if (creating.Length > 0)
            {
                ResourceLog.CreationOutlivesScope(Environment.Logger, Name, string.Join(", ", creating));
            }

            if (children.Length > 0)
            {
                ResourceLog.ScopeOutlivesParent(Environment.Logger, Name, string.Join(", ", children));
            }
        }
    }

    private OwnedObject? TryPop()
    {
        lock (Gate)
        {
            var newest = _resources.Newest;
            if (newest is not null)
            {
                Remove(newest);
            }

            return newest;
        }
    }

    private void SignalIfSettled()
    {
        if (_settled is not null && IsSettled)
        {
            _settled.TrySetResult();
        }
    }
}
