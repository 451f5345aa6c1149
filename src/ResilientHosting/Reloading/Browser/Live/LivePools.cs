using System.Diagnostics.Metrics;

namespace ResilientHosting.Reloading;

/// <summary>
/// The pools of the running application, by the numbers that production would show. Nothing is measured until somebody asks, and the
/// instruments of a generation go with its host.
/// </summary>
internal sealed class LivePools : IDisposable
{
    private const string Count = "resilient_hosting.pool.count";
    private const string Max = "resilient_hosting.pool.max";
    private const string Waiting = "resilient_hosting.pool.pending_requests";
    private const string Name = "resilient_hosting.resource.name";
    private const string State = "resilient_hosting.pool.state";

    private readonly MeterListener _listener = new();
    private readonly Lock _reading = new();
    private readonly SortedDictionary<(string Name, int Generation), PoolUse> _read = [];

    public LivePools()
    {
        // A generation that was left behind keeps its pools; its number tells them from those that serve.
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument is { Meter.Name: "ResilientHosting", Name: Count or Max or Waiting })
            {
                listener.EnableMeasurementEvents(instrument, Generation.Current?.Number ?? 0);
            }
        };
        _listener.SetMeasurementEventCallback<int>(OnMeasured);
        _listener.Start();
    }

    /// <summary>Measures the pools now.</summary>
    public IReadOnlyList<PoolUse> Read()
    {
        lock (_reading)
        {
            _read.Clear();
            _listener.RecordObservableInstruments();
            return [.. _read.Values];
        }
    }

    public void Dispose() => _listener.Dispose();

    /// <summary>
    /// Called by <see cref="Read"/> alone: these instruments speak when they are asked. One that ends at this very moment no longer has the
    /// generation it was enabled with.
    /// </summary>
    private void OnMeasured(Instrument instrument, int value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? generation)
    {
        if (generation is not int number)
        {
            return;
        }

        string name = "", state = "";
        foreach (var (key, tag) in tags)
        {
            (name, state) = key switch
            {
                Name => (tag?.ToString() ?? "", state),
                State => (name, tag?.ToString() ?? ""),
                _ => (name, state),
            };
        }

        var pool = _read.GetValueOrDefault((name, number)) ?? new PoolUse(name, number, 0, 0, 0, 0);

        // Several hosts of one generation may have a pool of the same name each.
        _read[(name, number)] = (instrument.Name, state) switch
        {
            (Count, "used") => pool with { Used = pool.Used + value },
            (Count, _) => pool with { Idle = pool.Idle + value },
            (Waiting, _) => pool with { Waiting = pool.Waiting + value },
            _ => pool with { Max = pool.Max + value },
        };
    }
}

/// <summary>A pool at one moment.</summary>
/// <param name="Name">The resource.</param>
/// <param name="Generation">The generation that it belongs to.</param>
/// <param name="Used">How many of its objects are in use.</param>
/// <param name="Idle">How many are at hand.</param>
/// <param name="Waiting">How many scopes wait for one.</param>
/// <param name="Max">How many there may be.</param>
internal sealed record PoolUse(string Name, int Generation, int Used, int Idle, int Waiting, int Max);
