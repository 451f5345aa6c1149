namespace ResilientHosting.Resources;

/// <summary>One object for the whole host: created when it is first asked for, torn down when the host has stopped.</summary>
internal sealed class SharedSource<T>(IServiceProvider services, ResourceDefinition<T> definition) : ResourceSource<T>
    where T : class
{
    private readonly HostScope _host = services.GetRequiredService<HostScope>();
    private readonly Lock _gate = new();
    private HostObject<T>? _object;
    private bool _owned;

    public override bool OutlivesScopes => true;

    public override bool IsExclusive => false;

    public override bool TryAcquire(ResourceStack scope, out Lease<T> lease)
    {
        if (Volatile.Read(ref _owned) && _object!.TryGet(out var value))
        {
            lease = new Lease<T>(value);
            return true;
        }

        lease = default;
        return false;
    }

    public override async ValueTask<Lease<T>> AcquireAsync(ResourceContext context, CancellationToken cancellationToken)
    {
        var lineage = Lineage.Extend(context.Lineage, this, definition.Name);
        HostObject<T> shared;
        lock (_gate)
        {
            _host.ThrowIfClosed(definition.Name);
            shared = _object ??= HostObject<T>.Open(services, definition, lineage);
        }

        // The token ends this wait alone. What is created must be owned even if nobody waits for it any more.
        return new Lease<T>(await CreateOwnedAsync(shared).Observed().WaitAsync(cancellationToken).ConfigureAwait(false));
    }

    public override ValueTask ReturnAsync(Lease<T> lease, TeardownContext context) => ValueTask.CompletedTask;

    public override void Detach(Lease<T> lease) => throw new InvalidOperationException(
        $"Resource {definition.Name} cannot be detached: it is shared by the whole host. Create an object of your own instead.");

    private async Task<T> CreateOwnedAsync(HostObject<T> shared)
    {
        _host.EnterCreation();
        try
        {
            var value = await shared.GetAsync(CancellationToken.None).ConfigureAwait(false);
            if (!TryOwn(shared))
            {
                await shared.DestroyAsync(ScopeOutcomeKind.HostStopping).ConfigureAwait(false);
                _host.ThrowIfClosed(definition.Name);
            }

            return value;
        }
        finally
        {
            _host.LeaveCreation();
        }
    }

    /// <summary>Enters the object into the host's order of teardown once it exists: after what it was made from. False if the host is closed.</summary>
    private bool TryOwn(HostObject<T> shared)
    {
        lock (_gate)
        {
            if (!_owned)
            {
                Volatile.Write(ref _owned, _host.TryOwn(new Shared(definition.Name, shared)));
            }

            return _owned;
        }
    }

    private sealed class Shared(string name, HostObject<T> shared) : OwnedObject
    {
        public override string Name => name;

        public override ValueTask ReturnAsync(TeardownContext context) => shared.DestroyAsync(context.Outcome.Kind);
    }
}
