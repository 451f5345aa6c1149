namespace ResilientHosting.Resources;

/// <summary>
/// A scope outside a request, opened with <c>CreateResourceScope</c>: it owns the resources asked of it and a service scope. Disposing of
/// it tears them down; say <see cref="Complete"/> first if the work succeeded.
/// </summary>
public sealed class ResourceScope : IAsyncDisposable
{
    private readonly AsyncServiceScope _services;
    private ScopeOutcome _outcome = new(ScopeOutcomeKind.Abandoned);

    internal ResourceScope(IServiceProvider services, string name)
    {
        if (services.GetService<ResourceEnvironment>() is not { } environment)
        {
            throw new InvalidOperationException(
                "No request-scoped resource is registered, so there is nothing to open a scope for. Call AddRequestScopedResource first.");
        }

        // The container itself is not the provider that it injects; asked for one, both give the same answer.
        var isRoot = environment.IsRoot(services.GetRequiredService<IServiceProvider>());
        var parent = isRoot ? null : services.GetRequiredService<ResourceStack>();
        _services = services.CreateAsyncScope();
        Stack = _services.ServiceProvider.GetRequiredService<ResourceStack>();
        Stack.OpenDetached(name, parent);
    }

    /// <summary>The scope of one object that outlives requests.</summary>
    internal ResourceScope(IServiceProvider services, Lineage lineage)
    {
        _services = services.CreateAsyncScope();
        Stack = _services.ServiceProvider.GetRequiredService<ResourceStack>();
        Stack.OpenForObject(lineage);
    }

    /// <summary>The name given to the scope; it appears in logs and exceptions.</summary>
    public string Name => Stack.Name;

    /// <summary>The services of the scope. <see cref="IRequestResource{T}"/> taken from here belongs to this scope.</summary>
    public IServiceProvider Services => _services.ServiceProvider;

    internal ResourceStack Stack { get; }

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
        await Stack.CloseAsync(_outcome).ConfigureAwait(false);
        await _services.DisposeAsync().ConfigureAwait(false);
    }

    internal void End(ScopeOutcomeKind kind) => _outcome = new ScopeOutcome(kind);

    internal void Fail(Exception exception, CancellationToken cancellationToken)
    {
        var cancelled = exception is OperationCanceledException;
        var kind = cancelled && Stack.Environment.IsHostStopping ? ScopeOutcomeKind.HostStopping
            : cancelled && cancellationToken.IsCancellationRequested ? ScopeOutcomeKind.Aborted
            : ScopeOutcomeKind.Faulted;
        _outcome = new ScopeOutcome(kind, exception);
    }

    /// <summary>A disposed service scope could only say that it is disposed; the stack knows since when and why.</summary>
    private IServiceProvider OpenServices<T>(string? name)
    {
        Stack.ThrowIfClosed(ResourceName.Of<T>(name));
        return Services;
    }
}
