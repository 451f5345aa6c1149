namespace ResilientHosting.Resources;

/// <summary>
/// The resources of one scope in the order in which their creation completed, and the latch that tears them down once. A scoped service;
/// a scope that injects no resource never gets one.
/// </summary>
internal sealed class ResourceStack(IServiceProvider services, ResourceEnvironment environment) : IAsyncDisposable, IDisposable
{
    private readonly List<OwnedObject> _resources = [];
    private readonly List<CreationAttempt> _attempts = [];
    private TaskCompletionSource? _settled;
    private TaskCompletionSource? _closed;
    private bool _tornDown;
    private int _releases;
    private bool _opened;
    private string? _name;
    private ExecutionContext? _ambient;
    private ScopeOutcome? _pipelineOutcome;
    private ScopeOutcome? _outcome;
    private long _closedAt;

    /// <summary>Guards the stack and the state of all resources in it. No user code runs under it.</summary>
    public Lock Gate { get; } = new();

    public ResourceEnvironment Environment { get; } = environment;

    public IServiceProvider Services { get; } = services;

    /// <summary>The request the scope belongs to, while it lasts.</summary>
    public HttpContext? HttpContext { get; private set; }

    public string Name => _name ?? "service scope";

    /// <summary>Whether the scope's end has begun. Objects that exist are handed out until it is their turn, for the teardowns of others.</summary>
    public bool IsClosed => Volatile.Read(ref _outcome) is not null;

    public static ResourceStack? Of(HttpContext context) => context.Features.Get<ResourceStack>();

    /// <summary>Opens the scope as one that belongs to no request, even if it is opened during one.</summary>
    public void OpenDetached(string name)
    {
        _name = name;
        _ambient = ExecutionContext.Capture();
        _opened = true;
    }

    /// <summary>Opens the scope at its first creation. A request that creates nothing has paid nothing until here.</summary>
    public void EnsureOpened()
    {
        if (Volatile.Read(ref _opened))
        {
            return;
        }

        // A service scope opened inside a request has another stack than the request.
        var request = Environment.HttpContext is { } current && current.RequestServices.GetService<ResourceStack>() == this ? current : null;
        lock (Gate)
        {
            if (_opened)
            {
                return;
            }

            _ambient = ExecutionContext.Capture();
            if (request is not null)
            {
                HttpContext = request;
                _name = request.GetEndpoint()?.DisplayName ?? $"{request.Request.Method} {request.Request.Path.ToUriComponent()}";
                request.Features.Set(this);

                // Callbacks run last-in first-out. RequestServices exist by now, so their disposal was registered before and runs after.
                request.Response.OnCompleted(
                    static state => ((ResourceStack)state).OnResponseCompletedAsync(), this);
            }

            Volatile.Write(ref _opened, true);
        }
    }

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

    /// <summary>How the scope would end if it ended now, for a resource that is given back before.</summary>
    public ScopeOutcome OutcomeSoFar(Exception? exception) => _outcome is not null ? _outcome
        : HttpContext is { } context ? RequestOutcome.SoFar(context, exception, Environment.IsHostStopping)
        : new ScopeOutcome(exception is null ? ScopeOutcomeKind.Succeeded : ScopeOutcomeKind.Faulted, exception);

    /// <summary>
    /// The first door: the request's pipeline has ended. The outcome is settled here, because once the response is out a client that just
    /// hangs up looks like an abort. An exception or an abort closes the scope at once: TestServer never completes such a response.
    /// </summary>
    public Task OnPipelineEndedAsync(Exception? escaped)
    {
        if (HttpContext is not { } context)
        {
            return Task.CompletedTask;
        }

        _pipelineOutcome = RequestOutcome.Resolve(context, escaped, Environment.IsHostStopping);
        return escaped is null && _pipelineOutcome.Kind is ScopeOutcomeKind.Succeeded or ScopeOutcomeKind.ExceptionHandled
            ? Task.CompletedTask
            : CloseAsync(_pipelineOutcome);
    }

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
            if (_attempts.Count > 0 || _releases > 0)
            {
                _settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _attempts.ForEach(static attempt => attempt.Cancel());
            }
        }

        if (_ambient is null)
        {
            return TearDownAllAsync();
        }

        // The doors are entered without the AsyncLocals of the code that used the resources.
        var teardown = Task.CompletedTask;
        ExecutionContext.Run(_ambient, _ => teardown = TearDownAllAsync(), state: null);
        return teardown;
    }

    /// <summary>The container's door: a scope that has no other, or whose others were never used.</summary>
    public ValueTask DisposeAsync() => new(CloseAsync(_pipelineOutcome ?? new ScopeOutcome(ScopeOutcomeKind.Abandoned)));

    /// <summary>For <c>using</c> a service scope: what cannot be torn down synchronously is finished, and its failures logged, afterwards.</summary>
    public void Dispose() => _ = CloseAsync(_pipelineOutcome ?? new ScopeOutcome(ScopeOutcomeKind.Abandoned));

    /// <summary>The second door: the response has been sent, or has failed.</summary>
    private Task OnResponseCompletedAsync() => HttpContext is { } context
        ? CloseAsync(_pipelineOutcome ?? RequestOutcome.Resolve(context, escaped: null, Environment.IsHostStopping))
        : Task.CompletedTask;

    private async Task TearDownAllAsync()
    {
        try
        {
            var budget = Environment.Options.ScopeTeardownBudget;
            await WaitUntilSettledAsync(budget).ConfigureAwait(false);

            var total = 0;
            List<(string Resource, Exception Exception)>? failures = null;
            while (TryPop() is { } resource)
            {
                total++;
                var left = budget - Environment.Time.GetElapsedTime(_closedAt);
                if (await Teardown.RunAsync(resource, _outcome!, this, left).ConfigureAwait(false) is { } failure)
                {
                    (failures ??= []).Add((resource.Name, failure));
                }
            }

            if (failures is not null)
            {
                ResourceLog.TeardownFailed(Environment.Logger, Name, total, failures);
            }
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
        }
    }

    /// <summary>What is in flight is older than its users will be: a late object, and a release, go before what they were made from.</summary>
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
            lock (Gate)
            {
                ResourceLog.CreationOutlivesScope(Environment.Logger, Name, string.Join(", ", _attempts.Select(attempt => attempt.Name)));
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
