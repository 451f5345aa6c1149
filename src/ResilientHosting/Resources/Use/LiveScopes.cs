namespace ResilientHosting.Resources;

/// <summary>The scopes of one host that hold or have held a resource and have not ended: a linked list through the stacks themselves.</summary>
internal sealed class LiveScopes(HeldResourceWatch watch)
{
    private readonly Lock _gate = new();
    private ResourceStack? _newest;
    private TaskCompletionSource? _empty;
    private bool _isWatched;

    public void Enter(ResourceStack scope)
    {
        bool wasWatched;
        lock (_gate)
        {
            scope.Older = _newest;
            if (_newest is not null)
            {
                _newest.Newer = scope;
            }

            _newest = scope;
            wasWatched = _isWatched;
            _isWatched = true;
        }

        if (!wasWatched)
        {
            watch.Wake(this);
        }
    }

    /// <summary>Ends the watch, unless there are scopes to be watched.</summary>
    public bool TryRest()
    {
        lock (_gate)
        {
            _isWatched = _newest is not null;
            return !_isWatched;
        }
    }

    public void Leave(ResourceStack scope)
    {
        lock (_gate)
        {
            if (scope.Newer is not null)
            {
                scope.Newer.Older = scope.Older;
            }
            else
            {
                _newest = scope.Older;
            }

            if (scope.Older is not null)
            {
                scope.Older.Newer = scope.Newer;
            }

            scope.Newer = scope.Older = null;
            if (_newest is null)
            {
                _empty?.TrySetResult();
            }
        }
    }

    /// <summary>The scopes now alive, newest first.</summary>
    public List<ResourceStack> Snapshot()
    {
        var scopes = new List<ResourceStack>();
        lock (_gate)
        {
            for (var scope = _newest; scope is not null; scope = scope.Older)
            {
                scopes.Add(scope);
            }
        }

        return scopes;
    }

    /// <summary>Waits until every scope has ended; after the drain time-out the resources of the others are torn down under them.</summary>
    public async Task DrainAsync(ResourceEnvironment environment)
    {
        Task empty;
        lock (_gate)
        {
            if (_newest is null)
            {
                return;
            }

            empty = (_empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        try
        {
            await empty.WaitAsync(environment.Options.DrainTimeout, environment.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await CloseAsync(environment).ConfigureAwait(false);
        }
    }

    /// <summary>Ends the scopes now alive, whoever uses them, and says so if there are any. Those that are ending are waited for.</summary>
    public async Task CloseAsync(ResourceEnvironment environment)
    {
        var late = Snapshot();
        if (late.Count == 0)
        {
            return;
        }

        ResourceLog.ScopesOutliveHost(
            environment.Logger, late.Count, string.Join(", ", late.Select(scope => scope.Name).Distinct().Take(10)));
        await Task.WhenAll(late.Select(scope => scope.CloseAsync(new ScopeOutcome(ScopeOutcomeKind.HostStopping)))).ConfigureAwait(false);
    }
}
