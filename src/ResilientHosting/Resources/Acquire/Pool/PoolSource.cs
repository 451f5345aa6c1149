using System.Diagnostics;

namespace ResilientHosting.Resources;

/// <summary>Objects on loan from a <see cref="ResourcePool{T}"/>.</summary>
internal sealed class PoolSource<T> : ResourceSource<T>
    where T : class
{
    private readonly PoolMetrics _metrics;

    public PoolSource(IServiceProvider services, ResourceDefinition<T> definition, string? name, string? databaseSystem)
    {
        var options = services.GetRequiredService<IOptionsFactory<ResourcePoolOptions<T>>>().Create(name ?? Options.DefaultName);
        var environment = services.GetRequiredService<ResourceEnvironment>();
        _metrics = environment.Metrics.CreatePoolMetrics(environment.Time, definition.Name, databaseSystem);
        var timed = definition.With(new TimedCreation<T>(definition.Source, _metrics.Creation));
        Pool = new ResourcePool<T>(services, timed, options);
        _metrics.Observe(() => Pool.Statistics, () => Pool.Settings.MinIdle);
    }

    public ResourcePool<T> Pool { get; }

    /// <summary>The pool of a resource in one host; <see langword="null"/> if its objects come from elsewhere.</summary>
    public static ResourcePool<T>? Find(IServiceProvider services, string? name) =>
        (services.GetRequiredKeyedService<ResourceDefinition<T>>(name).Source as PoolSource<T>)?.Pool;

    public override bool OutlivesScopes => true;

    public override bool TryAcquire(ResourceStack scope, out Lease<T> lease)
    {
        if (Pool.TryAcquire(scope) is { } entry)
        {
            _metrics.Wait.Zero();
            OnLent(entry, SampleAcquirer());
            lease = new Lease<T>(entry.Value, entry);
            return true;
        }

        lease = default;
        return false;
    }

    public override async ValueTask<Lease<T>> AcquireAsync(ResourceContext context, CancellationToken cancellationToken)
    {
        var acquirer = SampleAcquirer();
        var start = _metrics.Wait.Start();
        try
        {
            var entry = await Pool.AcquireAsync(context.Stack, context.Lineage, cancellationToken).ConfigureAwait(false);
            _metrics.Wait.Stop(start);
            OnLent(entry, acquirer);
            return new Lease<T>(entry.Value, entry);
        }
        catch (ResourceAcquireTimeoutException exception)
        {
            _metrics.TimedOut(exception.Reason);
            throw;
        }
    }

    public override ValueTask ReturnAsync(Lease<T> lease, TeardownContext context)
    {
        var entry = (PoolEntry<T>)lease.Ticket!;
        OnGivenBack(entry);
        var isSuspect = context.Outcome.Kind != ScopeOutcomeKind.Succeeded;
        if (Pool.Settings.Reset is { } reset)
        {
            return ResetAsync(reset, entry, context, isSuspect);
        }

        Pool.Return(entry, isSuspect);
        return ValueTask.CompletedTask;
    }

    public override void Detach(Lease<T> lease)
    {
        var entry = (PoolEntry<T>)lease.Ticket!;
        OnGivenBack(entry);
        Pool.Detach(entry);
    }

    public override StackTrace? GetAcquirer(Lease<T> lease) => ((PoolEntry<T>)lease.Ticket!).Acquirer;

    private void OnLent(PoolEntry<T> entry, StackTrace? acquirer)
    {
        entry.LentAt = _metrics.Use.Start();
        if (acquirer is not null)
        {
            entry.Acquirer = acquirer;
        }
    }

    /// <summary>Before the pool has the entry back: afterwards it may be somebody else's.</summary>
    private void OnGivenBack(PoolEntry<T> entry)
    {
        _metrics.Use.Stop(entry.LentAt);
        if (entry.Acquirer is not null)
        {
            entry.Acquirer = null;
        }
    }

    /// <summary>Who is asking, for one lease in so many.</summary>
    private StackTrace? SampleAcquirer() =>
        Pool.Settings.LeakStackSampling is > 0 and var rate && Random.Shared.NextDouble() < rate ? new StackTrace() : null;

    private async ValueTask ResetAsync(
        Func<T, TeardownContext, ValueTask<bool>> reset, PoolEntry<T> entry, TeardownContext context, bool isSuspect)
    {
        var isReady = false;
        try
        {
            // Bounded by the deadline even if the user's code is not: its slot would be lost.
            isReady = await reset(entry.Value, context).AsTask().Observed().WaitAsync(context.Deadline).ConfigureAwait(false);
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
