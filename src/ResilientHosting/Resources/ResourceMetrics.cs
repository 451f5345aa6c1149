using System.Diagnostics.Metrics;

namespace ResilientHosting.Resources;

/// <summary>The instruments of this feature. In a quiet process <c>created = torn_down + detached</c> for every resource.</summary>
internal sealed class ResourceMetrics
{
    private const string ResourceTag = "resilient_hosting.resource.name";

    private readonly Counter<long> _created;
    private readonly Counter<long> _tornDown;
    private readonly Counter<long> _detached;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _heldLong;
    private readonly Histogram<double> _teardownDuration;
    private readonly PoolInstruments _pools;
    private readonly Lazy<PoolInstruments> _databasePools;

    public ResourceMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("ResilientHosting");
        _created = meter.CreateCounter<long>(
            "resilient_hosting.resource.created", "{resource}", "Objects a source has delivered.");
        _tornDown = meter.CreateCounter<long>(
            "resilient_hosting.resource.torn_down", "{resource}", "Objects given back, also where the teardown failed.");
        _detached = meter.CreateCounter<long>(
            "resilient_hosting.resource.detached", "{resource}", "Objects taken over by their user.");
        _failures = meter.CreateCounter<long>(
            "resilient_hosting.resource.failures", "{failure}", "Creations and teardowns that failed.");
        _teardownDuration = meter.CreateHistogram<double>(
            "resilient_hosting.resource.teardown.duration", "s", "How long the teardown of one object took.");
        _heldLong = meter.CreateCounter<long>(
            "resilient_hosting.resource.held_long", "{resource}", "Objects held by one scope for longer than the warning threshold.");
        _pools = new PoolInstruments(meter, "resilient_hosting.pool", "{resource}");
        _databasePools = new Lazy<PoolInstruments>(() => new PoolInstruments(meter, "db.client.connection", "{connection}"));
    }

    /// <summary>What a pool measures itself with.</summary>
    /// <param name="time">The pool's clock.</param>
    /// <param name="resource">The resource.</param>
    /// <param name="databaseSystem">Which system its objects are connections to, if they are to be measured as such.</param>
    public PoolMetrics CreatePoolMetrics(TimeProvider time, string resource, string? databaseSystem)
    {
        var own = new PoolSeries(_pools, Tag(ResourceTag, resource));
        var database = databaseSystem is null ? null : new PoolSeries(
            _databasePools.Value, Tag("db.client.connection.pool.name", resource), Tag("db.system.name", databaseSystem));
        return new PoolMetrics(time, own, database);
    }

    public void HeldLong(string resource, int count) => _heldLong.Add(count, Tag(ResourceTag, resource));

    public void Created(string resource) => _created.Add(1, Tag(ResourceTag, resource));

    public void Detached(string resource) => _detached.Add(1, Tag(ResourceTag, resource));

    public void CreationFailed(string resource, Exception exception) => Failed(resource, "create", exception);

    /// <summary>Whether anybody wants to know how long teardowns take.</summary>
    public bool MeasuresTeardowns => _teardownDuration.Enabled;

    public void TornDown(string resource, ScopeOutcomeKind outcome, TimeSpan? duration, Exception? failure)
    {
        _tornDown.Add(1, Tag(ResourceTag, resource));
        if (duration is { } took)
        {
            _teardownDuration.Record(
                took.TotalSeconds, Tag(ResourceTag, resource), Tag("resilient_hosting.scope.outcome", outcome.ToString()));
        }

        if (failure is not null)
        {
            Failed(resource, "teardown", failure);
        }
    }

    private void Failed(string resource, string phase, Exception exception) => _failures.Add(
        1,
        Tag(ResourceTag, resource),
        Tag("resilient_hosting.resource.phase", phase),
        Tag("error.type", exception.GetType().FullName!));

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
