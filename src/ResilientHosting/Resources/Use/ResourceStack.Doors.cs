namespace ResilientHosting.Resources;

/// <content>
/// The scope's beginning and its doors. A request has two, since no single one is always used: the middleware sees exceptions and aborts,
/// the completed response everything else. The container's door is for scopes that have no request.
/// </content>
internal sealed partial class ResourceStack : IAsyncDisposable, IDisposable
{
    private bool _opened;
    private bool _live;
    private string? _name;
    private string? _path;
    private ExecutionContext? _ambient;
    private ScopeOutcome? _pipelineOutcome;

    /// <summary>The request the scope belongs to, while it lasts.</summary>
    public HttpContext? HttpContext { get; private set; }

    public string Name => _path is null ? _name ?? "service scope" : $"{_name} {_path}";

    /// <summary>For whom the scope makes an object that outlives requests; <see langword="null"/> in all other scopes.</summary>
    public Lineage? Lineage { get; private set; }

    /// <summary>The neighbours in <see cref="LiveScopes"/>, which guards them.</summary>
    public ResourceStack? Newer { get; set; }

    /// <inheritdoc cref="Newer"/>
    public ResourceStack? Older { get; set; }

    public static ResourceStack? Of(HttpContext context) => context.Features.Find<ResourceStack>();

    /// <summary>Opens the scope as one that belongs to no request, even if it is opened during one.</summary>
    public void OpenDetached(string name, ResourceStack? parent)
    {
        Parent = parent;
        _name = name;
        _ambient = ExecutionContext.Capture();
        _opened = true;
        EnterLiveScopes();
        parent?.EnterChild(this);
    }

    /// <summary>Opens the scope of one object that outlives requests. It lives as long as that object, so no host waits for its end.</summary>
    public void OpenForObject(Lineage lineage)
    {
        _name = lineage.Name;
        Lineage = lineage;
        _opened = true;
    }

    /// <summary>Opens the one scope that is the host's own.</summary>
    public void OpenForHost()
    {
        _name = "host";
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
        var request = Environment.HttpContext is { RequestServices: { } services } current
            && (ReferenceEquals(services, Services) || services.GetService<ResourceStack>() == this) ? current : null;
        lock (Gate)
        {
            if (_opened || IsClosed)
            {
                return;
            }

            _ambient = ExecutionContext.Capture();
            if (request is not null)
            {
                HttpContext = request;
                _name = request.GetEndpoint()?.DisplayName;
                if (_name is null)
                {
                    _name = request.Request.Method;
                    _path = request.Request.Path.ToUriComponent();
                }

                request.Features.Put(this);

                // Callbacks run last-in first-out. RequestServices exist by now, so their disposal was registered before and runs after.
                request.Response.OnCompleted(static state => ((ResourceStack)state).OnResponseCompletedAsync(), this);
            }

            Volatile.Write(ref _opened, true);
            EnterLiveScopes();
        }
    }

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

        ReportMissedRelease();
        _pipelineOutcome = RequestOutcome.Resolve(context, escaped, Environment.IsHostStopping);
        return escaped is not null || context.RequestAborted.IsCancellationRequested
            ? CloseAsync(_pipelineOutcome)
            : Task.CompletedTask;
    }

    /// <summary>Says how the scope has ended, for the container to close it: in a scope without a request.</summary>
    public void Settle(ScopeOutcome outcome) => _pipelineOutcome = outcome;

    /// <summary>The container's door: a scope that has no other, or whose others were never used.</summary>
    public ValueTask DisposeAsync() =>
        _detached ? ValueTask.CompletedTask : new(CloseAsync(_pipelineOutcome ?? new ScopeOutcome(ScopeOutcomeKind.Abandoned)));

    /// <summary>For <c>using</c> on a service scope: what takes longer is finished, and its failures logged, afterwards.</summary>
    public void Dispose() => _ = CloseAsync(_pipelineOutcome ?? new ScopeOutcome(ScopeOutcomeKind.Abandoned));

    private void EnterLiveScopes()
    {
        _live = true;
        Environment.LiveScopes.Enter(this);
    }

    private void LeaveLiveScopes()
    {
        if (_live)
        {
            Environment.LiveScopes.Leave(this);
            Parent?.LeaveChild(this);
        }
    }

    /// <summary>The second door: the response has been sent, or has failed.</summary>
    private Task OnResponseCompletedAsync() => HttpContext is { } context
        ? CloseAsync(_pipelineOutcome ?? RequestOutcome.Resolve(context, escaped: null, Environment.IsHostStopping))
        : Task.CompletedTask;
}
