using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHosting.Tests.Aborts.Record;

/// <summary>Listens to every instrument of one application.</summary>
public sealed class Measurements : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly List<(string Instrument, double Value, Dictionary<string, object?> Tags)> _all = [];
    private readonly List<Instrument> _instruments = [];

    public Measurements(WebApplication app)
    {
        var factory = app.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, factory))
            {
                _instruments.Add(instrument);
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    public IReadOnlyList<Instrument> Instruments => _instruments;

    public List<Dictionary<string, object?>> Of(string instrument)
    {
        lock (_all)
        {
            return _all.Where(measured => measured.Instrument == instrument).Select(measured => measured.Tags).ToList();
        }
    }

    public List<double> ValuesOf(string instrument)
    {
        lock (_all)
        {
            return _all.Where(measured => measured.Instrument == instrument).Select(measured => measured.Value).ToList();
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var copy = new Dictionary<string, object?>(tags.ToArray());
        lock (_all)
        {
            _all.Add((instrument.Name, value, copy));
        }
    }
}
