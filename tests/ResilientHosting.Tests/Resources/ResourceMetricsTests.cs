using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

public sealed class ResourceMetricsTests
{
    [Fact]
    public async Task Instruments_CountEveryObjectAndFailureOnce()
    {
        var test = TestContext.Current.CancellationToken;
        var fail = false;
        var (services, logs) = ResourceTestHost.BuildServices(collection =>
        {
            collection.AddRequestScopedResource("metered", (_, _) => fail ? throw new NotSupportedException() : ValueTask.FromResult(new Alpha()));
            collection.AddRequestScopedResource<Beta>((_, _) => new(new Beta()), (_, _) => throw new InvalidOperationException());
        });
        logs.Expect("TeardownFailed");
        await using var root = services;
        var meters = root.GetRequiredService<IMeterFactory>();
        var counts = new Dictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "ResilientHosting" && instrument.Meter.Scope == meters)
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Add(instrument, 1, tags));
        listener.Start();

        await using (var scope = root.CreateResourceScope("test"))
        {
            var metered = scope.Services.GetRequiredKeyedService<IRequestResource<Alpha>>("metered");
            await metered.GetAsync(test);
            metered.Detach();
            await metered.GetAsync(test);
            await metered.ReleaseAsync();
            fail = true;
            await Assert.ThrowsAsync<NotSupportedException>(() => metered.GetAsync(test).Bounded());
            await scope.GetAsync<Beta>(test);
        }

        Assert.Equal(
            new Dictionary<string, double>
            {
                ["resource.created Alpha 'metered'"] = 2,
                ["resource.detached Alpha 'metered'"] = 1,
                ["resource.torn_down Alpha 'metered'"] = 1,
                ["resource.teardown.duration Alpha 'metered' Succeeded"] = 1,
                ["resource.failures Alpha 'metered' create System.NotSupportedException"] = 1,
                ["resource.created Beta"] = 1,
                ["resource.torn_down Beta"] = 1,
                ["resource.teardown.duration Beta Abandoned"] = 1,
                ["resource.failures Beta teardown System.InvalidOperationException"] = 1,
            },
            counts);
        logs.AssertQuiet();

        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var name = instrument.Name.Replace("resilient_hosting.", "", StringComparison.Ordinal);
            var key = $"{name} {string.Join(' ', tags.ToArray().Select(tag => tag.Value))}";
            counts[key] = counts.GetValueOrDefault(key) + value;
        }
    }
}
