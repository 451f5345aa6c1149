using System.Diagnostics.Metrics;

namespace ResilientHosting.Resources;

/// <summary>What one pool measures: under the library's own names, and under those of a database client where that was asked for.</summary>
internal sealed class PoolMetrics(TimeProvider time, PoolSeries own, PoolSeries? database)
{
    public PoolDuration Creation { get; } = new(time, own.Instruments.CreateTime, own.Tags, database?.Instruments.CreateTime, database?.Tags);

    public PoolDuration Wait { get; } = new(time, own.Instruments.WaitTime, own.Tags, database?.Instruments.WaitTime, database?.Tags);

    public PoolDuration Use { get; } = new(time, own.Instruments.UseTime, own.Tags, database?.Instruments.UseTime, database?.Tags);

    /// <summary>Has the pool's state observed from now on.</summary>
    public void Observe(Func<ResourcePoolStatistics> statistics, Func<int> minIdle)
    {
        own.Instruments.Add(statistics, minIdle, own.Tags);
        database?.Instruments.Add(statistics, minIdle, database.Tags);
    }

    public void TimedOut(ResourceAcquireFailure reason)
    {
        own.Instruments.Timeouts.Add(1, [.. own.Tags, new("resilient_hosting.pool.timeout.reason", reason.ToString())]);
        database?.Instruments.Timeouts.Add(1, database.Tags);
    }
}

/// <summary>One pool's part of a set of instruments.</summary>
internal sealed record PoolSeries(PoolInstruments Instruments, params KeyValuePair<string, object?>[] Tags);

/// <summary>One duration of one pool. As long as nobody listens it takes no time stamp.</summary>
internal sealed class PoolDuration(
    TimeProvider time,
    Histogram<double> own,
    KeyValuePair<string, object?>[] ownTags,
    Histogram<double>? database,
    KeyValuePair<string, object?>[]? databaseTags)
{
    private const long Untimed = 0;

    private bool IsEnabled => own.Enabled || database is { Enabled: true };

    public long Start() => IsEnabled ? time.GetTimestamp() : Untimed;

    public void Stop(long start)
    {
        if (start != Untimed)
        {
            Record(time.GetElapsedTime(start).TotalSeconds);
        }
    }

    /// <summary>Records that it took no time.</summary>
    public void Zero()
    {
        if (IsEnabled)
        {
            Record(0);
        }
    }

    private void Record(double seconds)
    {
        own.Record(seconds, ownTags);
        database?.Record(seconds, databaseTags.AsSpan());
    }
}
