namespace ResilientHosting.Resources;

/// <summary>
/// The resources of one scope in the order in which their creation completed, and the latch that tears them down once. A scoped service: a
/// scope that injects no resource never gets one.
/// </summary>
internal sealed partial class ResourceStack(IServiceProvider services, ResourceEnvironment environment)
{
    private readonly List<OwnedObject> _resources = [];
    private readonly List<CreationAttempt> _attempts = [];
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

    // The members down to LeaveRelease are called under the gate.
    public void Push(OwnedObject resource) => _resources.Add(resource);

    public void Remove(OwnedObject resource)
    {
        _resources.RemoveAt(_resources.LastIndexOf(resource));
        resource.OnRemoved();
    }

    public void EnterAttempt(CreationAttempt attempt) => _attempts.Add(attempt);

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
        new(resource, Name, Environment.Time.GetElapsedTime(_closedAt), _outcome!);

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

            _closedAt = Environment.Time.GetTimestamp();
            Volatile.Write(ref _outcome, outcome);
            if (_resources.Count == 0 && _attempts.Count == 0 && _releases == 0)
            {
                _tornDown = true;
                HttpContext = null;
                LeaveLiveScopes();
                return Task.CompletedTask;
            }

            if (_attempts.Count > 0 || _releases > 0)
            {
                _settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _attempts.ForEach(static attempt => attempt.Cancel());
            }
        }

        return RunAsync(TearDownAllAsync);
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
        try
        {
            var teardown = new Teardown(this, _outcome!);
            await WaitUntilSettledAsync(teardown.Budget).ConfigureAwait(false);
            while (TryPop() is { } newest)
            {
                await teardown.RunAsync(newest).ConfigureAwait(false);
            }

            teardown.Report();
        }
        finally
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
    }

    /// <summary>What is in flight was made from older resources, so its end comes before theirs.</summary>
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
            lock (Gate)
            {
                creating = [.. _attempts.Select(attempt => attempt.Name)];
            }

            if (creating.Length > 0)
            {
                ResourceLog.CreationOutlivesScope(Environment.Logger, Name, string.Join(", ", creating));
            }
        }
    }

    private OwnedObject? TryPop()
    {
        lock (Gate)
        {
            if (_resources.Count == 0)
            {
                return null;
            }

            var newest = _resources[^1];
            Remove(newest);
            return newest;
        }
    }

    private void SignalIfSettled()
    {
        if (_settled is not null && _attempts.Count == 0 && _releases == 0)
        {
            _settled.TrySetResult();
        }
    }
}
