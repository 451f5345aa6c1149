using System.Diagnostics.Metrics;

namespace ResilientHosting.Reloading;

/// <summary>
/// The requests that were aborted since the process began, whichever generation they ran in. Costs something at an abort alone.
/// </summary>
internal sealed class LiveAborts : IDisposable
{
    private const string Instrument = "resilient_hosting.client_aborts";
    private const int MostLatest = 20;

    private readonly MeterListener _listener = new();
    private readonly TimeProvider _clock;
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, long> _byCause = new(StringComparer.Ordinal);
    private readonly Queue<SeenAbort> _latest = new();

    public LiveAborts(TimeProvider clock)
    {
        _clock = clock;
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument is { Meter.Name: "ResilientHosting", Name: Instrument })
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>(OnAborted);
        _listener.Start();
    }

    public AbortCounts Read()
    {
        lock (_lock)
        {
            return new AbortCounts(new Dictionary<string, long>(_byCause), [.. _latest]);
        }
    }

    public void Dispose() => _listener.Dispose();

    private void OnAborted(Instrument instrument, long count, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        var abort = new SeenAbort(_clock.GetUtcNow(), "", "", "", null);
        foreach (var (key, value) in tags)
        {
            var text = value?.ToString() ?? "";
            abort = key switch
            {
                "cause" => abort with { Cause = text },
                "phase" => abort with { Phase = text },
                "outcome" => abort with { Outcome = text },
                "http.route" => abort with { Route = text },
                _ => abort,
            };
        }

        lock (_lock)
        {
            _byCause[abort.Cause] = _byCause.GetValueOrDefault(abort.Cause) + count;
            _latest.Enqueue(abort);
            if (_latest.Count > MostLatest)
            {
                _latest.Dequeue();
            }
        }
    }
}

/// <summary>The aborts so far.</summary>
/// <param name="ByCause">How many there were, by cause.</param>
/// <param name="Latest">The latest, the newest last.</param>
internal sealed record AbortCounts(IReadOnlyDictionary<string, long> ByCause, IReadOnlyList<SeenAbort> Latest);

/// <summary>An abort, in the words of the instrument that counts it.</summary>
internal sealed record SeenAbort(DateTimeOffset Time, string Cause, string Phase, string Outcome, string? Route);
