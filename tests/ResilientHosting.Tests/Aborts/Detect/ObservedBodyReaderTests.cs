using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Detect;

public sealed class ObservedBodyReaderTests
{
    [Fact]
    public async Task AdvanceTo_StreamWasResetSinceTheRead_IsAnAbort()
    {
        var read = new Barrier();
        var ended = new Barrier();
        Exception? failure = null;
        await using var host = await KestrelTestHost.StartAsync(
            app =>
            {
                app.UseEndBarrier("/", ended);
                app.UseClientAbortTolerance();
                app.MapPost("/", async (HttpContext context) =>
                {
                    var reader = context.Request.BodyReader;
                    var result = await reader.ReadAsync(CancellationToken.None);
                    read.Open();
                    await AbortTestApp.SignalledAsync(context.RequestAborted);
                    failure = Xunit.Record.Exception(() => reader.AdvanceTo(result.Buffer.End));
                    throw failure!;
                });
            },
            protocol: Protocol.Http2);
        await using (var client = await LeavingClient.ConnectAsync(host.Address, Protocol.Http2))
        {
            await client.SendPostAsync("/", 1000, "half");
            await read.PassedAsync();
            await client.LeaveAsync(Departure.StreamReset);
            await ended.PassedAsync();
        }

        await host.StopAsync();

        Assert.IsType<IOException>(failure);
        Assert.Equal([499], AccessRecord.Statuses(host.Logs, "/"));
        Assert.Contains("by ClientStreamReset; its handler Cancelled", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
    }
}
