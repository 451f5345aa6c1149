using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy.Guard;

/// <summary>The older cache stores whatever a handler returns from without an exception; half a response must not be among it.</summary>
public sealed class ResponseCachingTests
{
    private readonly Barrier _started = new();
    private readonly Barrier _ended = new();
    private int _runs;

    [Theory]
    [InlineData(Departure.Fin, false)]
    [InlineData(Departure.Rst, false)]
    [InlineData(Departure.Fin, true)]
    [InlineData(Departure.Rst, true)]
    public async Task Response_CutByItsClient_IsNotStored(Departure departure, bool cacheFirst)
    {
        await using var host = await StartAsync(cacheFirst);
        await using (var client = await RawHttpClient.ConnectAsync(host.Address))
        {
            await client.SendGetAsync("/");
            await _started.PassedAsync();
            client.Leave(departure);
            await _ended.PassedAsync();
        }

        // The host's name is part of the cache's key, and this is the one that raw clients send.
        host.Client.DefaultRequestHeaders.Host = "localhost";
        Assert.Equal("first second", await host.Client.GetStringAsync("/", TestContext.Current.CancellationToken));
        await host.StopAsync();
        Assert.Equal(2, _runs);
        Assert.Contains("Cancelled", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Response_Whole_IsStored(bool cacheFirst)
    {
        _runs = 1;
        await using var host = await StartAsync(cacheFirst);

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("first second", await host.Client.GetStringAsync("/", TestContext.Current.CancellationToken));
        }

        Assert.Equal(2, _runs);
    }

    private Task<KestrelTestHost> StartAsync(bool cacheFirst) => KestrelTestHost.StartAsync(
        app =>
        {
            app.UseEndBarrier("/", _ended);
            if (cacheFirst)
            {
                app.UseResponseCaching();
            }

            app.UseClientAbortTolerance();
            if (!cacheFirst)
            {
                app.UseResponseCaching();
            }

            app.MapGet("/", async (HttpContext context, CancellationToken aborted) =>
            {
                var isFirst = Interlocked.Increment(ref _runs) == 1;
                context.Response.Headers.CacheControl = "public, max-age=600";
                await context.Response.WriteAsync("first ", aborted);
                await context.Response.Body.FlushAsync(aborted);
                if (isFirst)
                {
                    _started.Open();
                    await AbortTestApp.SignalledAsync(aborted);
                    return;
                }

                await context.Response.WriteAsync("second", aborted);
            });
        },
        builder => builder.Services.AddResponseCaching());
}
