using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHosting.Tests.Resources;

/// <summary>What one host's meter measures from now on.</summary>
internal sealed class MeasuredValues : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private readonly List<(string Key, double Value)> _recorded = [];

    public MeasuredValues(IServiceProvider services, Func<Instrument, bool>? filter = null)
    {
        var meters = services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "ResilientHosting" && instrument.Meter.Scope == meters && filter?.Invoke(instrument) != false)
            {
                Instruments.Add(instrument);
                self.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    public List<Instrument> Instruments { get; } = [];

    /// <summary>All values recorded under an instrument and its tags, as <c>name tag=value …</c>.</summary>
    public List<double> this[string key]
    {
        get
        {
            lock (_gate)
            {
                return [.. _recorded.Where(recorded => recorded.Key == key).Select(recorded => recorded.Value)];
            }
        }
    }

    /// <summary>What the observable instruments say now.</summary>
    public Dictionary<string, double> Observe()
    {
        lock (_gate)
        {
            _recorded.Clear();
        }

        _listener.RecordObservableInstruments();
        lock (_gate)
        {
            return _recorded.ToDictionary(recorded => recorded.Key, recorded => recorded.Value);
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var key = string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}").Prepend(instrument.Name));
        lock (_gate)
        {
            _recorded.Add((key, value));
        }
    }
}
