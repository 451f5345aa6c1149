namespace ResilientHosting.Resources;

/// <summary>
/// A scope outside a request, opened with <c>CreateResourceScope</c>: it owns the resources asked of it and a service scope. Disposing of
/// it tears them down; say <see cref="Complete"/> first if the work succeeded.
/// </summary>
public sealed class ResourceScope : IAsyncDisposable
{
    private readonly AsyncServiceScope _services;
    private readonly ResourceStack _stack;
    private ScopeOutcome _outcome = new(ScopeOutcomeKind.Abandoned);

    internal ResourceScope(IServiceProvider services, string name)
    {
        if (services.GetService<ResourceEnvironment>() is null)
        {
            throw new InvalidOperationException(
                "No request-scoped resource is registered, so there is nothing to open a scope for. Call AddRequestScopedResource first.");
        }

        _services = services.CreateAsyncScope();
        _stack = _services.ServiceProvider.GetRequiredService<ResourceStack>();
        _stack.OpenDetached(name);
    }

    /// <summary>The name given to the scope; it appears in logs and exceptions.</summary>
    public string Name => _stack.Name;

    /// <summary>The services of the scope. <see cref="IRequestResource{T}"/> taken from here belongs to this scope.</summary>
    public IServiceProvider Services => _services.ServiceProvider;

    /// <summary>Returns a resource of this scope, creating it on first use.</summary>
    /// <exception cref="ResourceScopeClosedException">The scope has ended.</exception>
    public ValueTask<T> GetAsync<T>(CancellationToken cancellationToken = default)
        where T : class => ResourceResolution.Require<T>(OpenServices<T>(name: null), name: null).GetAsync(cancellationToken);

    /// <inheritdoc cref="GetAsync{T}(CancellationToken)"/>
    /// <param name="name">The name the resource was registered with.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<T> GetAsync<T>(string name, CancellationToken cancellationToken = default)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(name);
        return ResourceResolution.Require<T>(OpenServices<T>(name), name).GetAsync(cancellationToken);
    }

    /// <summary>Declares the work successful. Without this the teardowns see <see cref="ScopeOutcomeKind.Abandoned"/>.</summary>
    public void Complete() => _outcome = new ScopeOutcome(ScopeOutcomeKind.Succeeded);

    /// <summary>Tears the resources down, newest first, then disposes of the services. Failed teardowns are logged, not thrown.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stack.CloseAsync(_outcome).ConfigureAwait(false);
        await _services.DisposeAsync().ConfigureAwait(false);
    }

    internal void Fail(Exception exception, CancellationToken cancellationToken)
    {
        var cancelled = exception is OperationCanceledException;
        var kind = cancelled && _stack.Environment.IsHostStopping ? ScopeOutcomeKind.HostStopping
            : cancelled && cancellationToken.IsCancellationRequested ? ScopeOutcomeKind.Aborted
            : ScopeOutcomeKind.Faulted;
        _outcome = new ScopeOutcome(kind, exception);
    }

    /// <summary>A disposed service scope could only say that it is disposed; the stack knows since when and why.</summary>
    private IServiceProvider OpenServices<T>(string? name)
    {
        _stack.ThrowIfClosed(ResourceName.Of<T>(name));
        return Services;
    }
}
