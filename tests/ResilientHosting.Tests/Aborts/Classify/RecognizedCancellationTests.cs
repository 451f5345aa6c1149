using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Classify;

public sealed class RecognizedCancellationTests
{
    [Fact]
    public async Task Rule_Matches_MakesTheExceptionAnAbort()
    {
        await using var host = await AbortWithAsync(options => options.RecognizeCancellation<KeyNotFoundException>());

        Assert.Contains("Cancelled", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rule_Throws_LeavesTheExceptionGenuine()
    {
        await using var host = await AbortWithAsync(options =>
            options.RecognizeCancellation<KeyNotFoundException>(_ => throw new InvalidOperationException("rule")));
        host.Logs.Expect("CancellationRuleFailed").Expect("ApplicationError");

        Assert.Equal("rule", host.Logs.Only("CancellationRuleFailed").Exception?.Message);
        var error = Assert.Single(host.Logs.Lines, line => line.Level == LogLevel.Error);
        Assert.IsType<KeyNotFoundException>(error.Exception);
    }

    private static async Task<KestrelTestHost> AbortWithAsync(Action<ClientAbortOptions> configure)
    {
        var started = new Barrier();
        var ended = new Barrier();
        var host = await KestrelTestHost.StartAsync(app =>
        {
            app.UseEndBarrier("/", ended);
            app.UseClientAbortTolerance(configure);
            app.MapGet("/", async (CancellationToken aborted) =>
            {
                started.Open();
                await AbortTestApp.SignalledAsync(aborted);
                throw new KeyNotFoundException("cancelled, the provider says");
            });
        });
        await using var client = await RawHttpClient.ConnectAsync(host.Address);
        await client.SendGetAsync("/");
        await started.PassedAsync();
        client.Leave(Departure.Fin);
        await ended.PassedAsync();
        await host.StopAsync();
        return host;
    }
}
