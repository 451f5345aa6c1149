using System.Diagnostics.Metrics;
using System.Globalization;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Not at the same time as other tests, which abort requests and listen to meters of this process as well.</summary>
[Collection(nameof(ProcessMeters))]
public sealed class LiveAbortsTests : IDisposable
{
    private readonly ManualTimeProvider _clock = new();
    private readonly Meter _meter = new("ResilientHosting");
    private readonly LiveAborts _aborts;

    public LiveAbortsTests() => _aborts = new LiveAborts(_clock);

    public void Dispose()
    {
        _meter.Dispose();
        _aborts.Dispose();
    }

    [Fact]
    public void Abort_IsCountedByCause_AndListedAsTheInstrumentTellsIt()
    {
        var counter = _meter.CreateCounter<long>("resilient_hosting.client_aborts");

        counter.Add(1, new("cause", "test left"), new("phase", "compute"), new("policy", "cancel"), new("outcome", "cancelled"), new("http.route", "/orders/{id}"));
        counter.Add(1, new("cause", "test left"), new("phase", "queued"), new("outcome", "dropped"));

        var counts = _aborts.Read();
        Assert.Equal(2, counts.ByCause["test left"]);
        Assert.Equal(
            [new SeenAbort(_clock.GetUtcNow(), "test left", "compute", "cancelled", "/orders/{id}"), new SeenAbort(_clock.GetUtcNow(), "test left", "queued", "dropped", null)],
            counts.Latest.Where(abort => abort.Cause == "test left"));
    }

    [Fact]
    public void Aborts_OfGenerationsThatHaveEnded_StillCount_AndTheLatestAreKept()
    {
        for (var generation = 0; generation < 50; generation++)
        {
            using var meter = new Meter("ResilientHosting");
            meter.CreateCounter<long>("resilient_hosting.client_aborts")
                .Add(1, new("cause", "test gone"), new("http.route", generation.ToString(CultureInfo.InvariantCulture)));
        }

        var counts = _aborts.Read();
        Assert.Equal(50, counts.ByCause["test gone"]);
        Assert.Equal(20, counts.Latest.Count);
        Assert.Contains(counts.Latest, abort => abort.Route == "49");
    }

    [Fact]
    public void InstrumentsOfOthers_AreNotRead()
    {
        using var other = new Meter("SomebodyElse");
        var (foreign, another) = (other.CreateCounter<long>("resilient_hosting.client_aborts"), _meter.CreateCounter<long>("resilient_hosting.resource.created"));

        Assert.Equal((false, false), (foreign.Enabled, another.Enabled));
    }
}

[CollectionDefinition(nameof(ProcessMeters), DisableParallelization = true)]
public sealed class ProcessMeters;
