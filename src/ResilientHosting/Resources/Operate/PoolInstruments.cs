using System.Collections.Immutable;
using System.Diagnostics.Metrics;

namespace ResilientHosting.Resources;

/// <summary>The nine instruments of a pool under the names of one convention. One set serves all pools of a host.</summary>
internal sealed class PoolInstruments
{
    // What OpenTelemetry advises for the duration of database calls; pools wait for such calls, and for nothing at all.
    private static readonly InstrumentAdvice<double> Buckets =
        new() { HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] };

    private ImmutableArray<ObservedPool> _pools = [];

    /// <param name="meter">Owns the instruments.</param>
    /// <param name="prefix">What their names start with.</param>
    /// <param name="unit">What the pool holds.</param>
    public PoolInstruments(Meter meter, string prefix, string unit)
    {
        var state = $"{prefix}.state";
        meter.CreateObservableUpDownCounter(
            $"{prefix}.count", () => _pools.SelectMany(pool => pool.ObserveStates(state)), unit, "How many the pool holds, by state.");
        Observe("idle.max", unit, "How many may be idle at most.", static pool => pool.Statistics.Max);
        Observe("idle.min", unit, "How many are kept idle at least.", static pool => pool.MinIdle);
        Observe("max", unit, "How many there may be.", static pool => pool.Statistics.Max);
        Observe("pending_requests", "{request}", "How many wait for one.", static pool => pool.Statistics.Waiting);
        Timeouts = meter.CreateCounter<long>($"{prefix}.timeouts", "{timeout}", "Requests that got none in time.");
        CreateTime = Measure("create_time", "How long it took to create one.");
        WaitTime = Measure("wait_time", "How long it took to get one; zero if it was at hand.");
        UseTime = Measure("use_time", "How long one was in use before it was given back.");

        void Observe(string name, string unit, string description, Func<ObservedPool, int> read) => meter.CreateObservableUpDownCounter(
            $"{prefix}.{name}", () => _pools.Select(pool => new Measurement<int>(read(pool), pool.Tags)), unit, description);

        Histogram<double> Measure(string name, string description) =>
            meter.CreateHistogram($"{prefix}.{name}", "s", description, tags: null, Buckets);
    }

    public Counter<long> Timeouts { get; }

    public Histogram<double> CreateTime { get; }

    public Histogram<double> WaitTime { get; }

    public Histogram<double> UseTime { get; }

    /// <summary>Observes a pool from now on, until the host ends.</summary>
    public void Add(Func<ResourcePoolStatistics> statistics, Func<int> minIdle, KeyValuePair<string, object?>[] tags) =>
        ImmutableInterlocked.Update(ref _pools, static (pools, added) => pools.Add(added), new ObservedPool(statistics, minIdle, tags));

    private sealed class ObservedPool(Func<ResourcePoolStatistics> statistics, Func<int> minIdle, KeyValuePair<string, object?>[] tags)
    {
        public KeyValuePair<string, object?>[] Tags => tags;

        public ResourcePoolStatistics Statistics => statistics();

        public int MinIdle => minIdle();

        public IEnumerable<Measurement<int>> ObserveStates(string state)
        {
            var now = Statistics;

            // One that is being validated is nobody's yet.
            yield return new(now.Idle + now.Validating, [.. tags, new(state, "idle")]);
            yield return new(now.Used, [.. tags, new(state, "used")]);
        }
    }
}
