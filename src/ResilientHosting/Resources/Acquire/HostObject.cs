namespace ResilientHosting.Resources;

/// <summary>An object that outlives requests, in a resource scope of its own: what it was made from lives exactly as long as it does.</summary>
internal sealed class HostObject<T> : IAsyncDisposable
    where T : class
{
    private readonly ResourceScope _scope;
    private readonly RequestResource<T> _resource;

    private HostObject(ResourceScope scope, ResourceDefinition<T> definition)
    {
        _scope = scope;
        _resource = new RequestResource<T>(scope.Stack, definition);
    }

    /// <param name="services">The host's services.</param>
    /// <param name="definition">Makes and ends one object, as if for one scope.</param>
    /// <param name="lineage">For whom the object is made.</param>
    public static HostObject<T> Open(IServiceProvider services, ResourceDefinition<T> definition, Lineage lineage) =>
        new(new ResourceScope(services, lineage), definition);

    /// <summary>Opens the scope and creates the object in it. Whatever goes wrong, nothing is left when this has ended.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="definition">Makes and ends one object, as if for one scope.</param>
    /// <param name="lineage">For whom the object is made.</param>
    /// <param name="cancellationToken">Cancels the factory.</param>
    public static async Task<HostObject<T>> CreateAsync(
        IServiceProvider services, ResourceDefinition<T> definition, Lineage lineage, CancellationToken cancellationToken)
    {
        var created = Open(services, definition, lineage);
        try
        {
            await created.GetAsync(cancellationToken).ConfigureAwait(false);
            return created;
        }
        catch
        {
            await created.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public T Value => _resource.TryGet(out var value)
        ? value
        : throw new InvalidOperationException("The object does not exist: it was not created, or has been torn down.");

    public bool TryGet([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out T? value) => _resource.TryGet(out value);

    public ValueTask<T> GetAsync(CancellationToken cancellationToken) => _resource.GetAsync(cancellationToken);

    /// <summary>Tears the object down, then what it was made from. Limited in time; a failure is logged and counted, not thrown.</summary>
    public ValueTask DestroyAsync(ScopeOutcomeKind kind)
    {
        _scope.End(kind);
        return _scope.DisposeAsync();
    }

    public ValueTask DisposeAsync() => _scope.DisposeAsync();

    /// <summary>Leaves the object to its user. What it was made from stays, and goes with the host.</summary>
    public void Detach(HostScope host)
    {
        _resource.Detach();
        host.TryOwn(new LeftBehind(_scope));
    }

    private sealed class LeftBehind(ResourceScope scope) : OwnedObject
    {
        public override string Name => scope.Name;

        public override ValueTask ReturnAsync(TeardownContext context) => scope.DisposeAsync();
    }
}
