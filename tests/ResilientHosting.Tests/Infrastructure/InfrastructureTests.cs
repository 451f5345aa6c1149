using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>The tools are tested too: a collector that never fails would make every other test worthless.</summary>
public sealed class InfrastructureTests
{
    [Fact]
    public async Task LogCollector_UnexpectedWarning_FailsTheTest()
    {
        var host = await KestrelTestHost.StartAsync(app => app.MapGet("/", (ILogger<InfrastructureTests> logger) =>
        {
            logger.LogWarning("unexpected");
            return "ok";
        }));

        Assert.Equal("ok", await host.Client.GetStringAsync("/", TestContext.Current.CancellationToken));

        await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(async () => await host.DisposeAsync());
    }

    [Fact]
    public void ManualTimeProvider_Advance_FiresDueTimersInOrder()
    {
        var clock = new ManualTimeProvider();
        var fired = new List<string>();
        using var late = clock.CreateTimer(_ => fired.Add("late"), null, TimeSpan.FromSeconds(2), Timeout.InfiniteTimeSpan);
        using var early = clock.CreateTimer(_ => fired.Add("early"), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));

        clock.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(["early", "late"], fired);
        Assert.Equal(1, clock.PendingTimers);
    }
}
