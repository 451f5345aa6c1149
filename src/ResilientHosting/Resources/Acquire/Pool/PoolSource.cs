namespace ResilientHosting.Resources;

/// <summary>Objects on loan from a <see cref="ResourcePool{T}"/>.</summary>
internal sealed class PoolSource<T> : ResourceSource<T>
    where T : class
{
    public PoolSource(IServiceProvider services, ResourceDefinition<T> definition, string? name)
    {
        var options = services.GetRequiredService<IOptionsFactory<ResourcePoolOptions<T>>>().Create(name ?? Options.DefaultName);
        Pool = new ResourcePool<T>(services, definition, options);
    }

    public ResourcePool<T> Pool { get; }

    public override bool OutlivesScopes => true;

    public override bool TryAcquire(ResourceStack scope, out Lease<T> lease)
    {
        if (Pool.TryAcquire(scope) is { } entry)
        {
            lease = new Lease<T>(entry.Value, entry);
            return true;
        }

        lease = default;
        return false;
    }

    public override async ValueTask<Lease<T>> AcquireAsync(ResourceContext context, CancellationToken cancellationToken)
    {
        var entry = await Pool.AcquireAsync(context.Stack, context.Lineage, cancellationToken).ConfigureAwait(false);
        return new Lease<T>(entry.Value, entry);
    }

    public override ValueTask ReturnAsync(Lease<T> lease, TeardownContext context)
    {
        var entry = (PoolEntry<T>)lease.Ticket!;
        var isSuspect = context.Outcome.Kind != ScopeOutcomeKind.Succeeded;
        if (Pool.Settings.Reset is { } reset)
        {
            return ResetAsync(reset, entry, context, isSuspect);
        }

        Pool.Return(entry, isSuspect);
        return ValueTask.CompletedTask;
    }

    public override void Detach(Lease<T> lease) => Pool.Detach((PoolEntry<T>)lease.Ticket!);

    private async ValueTask ResetAsync(
        Func<T, TeardownContext, ValueTask<bool>> reset, PoolEntry<T> entry, TeardownContext context, bool isSuspect)
    {
        var isReady = false;
        try
        {
            // Bounded by the deadline even if the user's code is not: its slot would be lost.
            isReady = await reset(entry.Value, context).AsTask().WaitAsync(context.Deadline).ConfigureAwait(false);
        }
        finally
        {
            if (isReady)
            {
                Pool.Return(entry, isSuspect);
            }
            else
            {
                Pool.Discard(entry);
            }
        }
    }
}
