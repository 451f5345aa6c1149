using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy;

/// <summary>Bodies whose sender closes the connection right after the last byte.</summary>
public sealed class RescuedBodyTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData(3_000_000)]
    public async Task CompletePost_SenderClosesBeforeItIsRead_HandlerReadsEveryByte(int size)
    {
        var body = string.Create(size, 0, static (span, _) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = (char)('a' + (i % 26));
            }
        });
        var received = "";
        var arrived = new Barrier();
        var closed = new Barrier();
        var ended = new Barrier();
        await using var host = await KestrelTestHost.StartAsync(app =>
        {
            app.UseEndBarrier("/", ended);
            app.Use(next => async context =>
            {
                // Until the connection is known to be closed, so that the body is read from a connection that has ended.
                arrived.Open();
                await closed.PassedAsync();
                if (size < 1_000_000)
                {
                    await AbortTestApp.SignalledAsync(context.RequestAborted);
                }

                await next(context);
            });
            app.UseClientAbortTolerance();
            app.MapPost("/", async (HttpContext context) =>
            {
                using var reader = new StreamReader(context.Request.Body);
                received = await reader.ReadToEndAsync(context.RequestAborted);
            }).RunToCompletionOnClientAbort();
        });

        await using (var client = await RawHttpClient.ConnectAsync(host.Address))
        {
            var sending = client.SendPostAsync("/", size, body, "text/plain");
            await arrived.PassedAsync();
            if (size < 1_000_000)
            {
                await sending;
                client.Leave(Departure.Fin);
                closed.Open();
            }
            else
            {
                // More than the server takes in unread: it has to be reading before everything is sent.
                closed.Open();
                await sending;
                client.Leave(Departure.Fin);
            }

            await ended.PassedAsync();
        }

        await host.StopAsync();
        Assert.Equal(size, received.Length);
        Assert.Equal(body, received);
        Assert.DoesNotContain(host.Logs.Lines, line => line.Message.Contains("Invalid request line", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(0)]
    public async Task TruncatedPost_SenderCloses_HandlerDoesNotRun(int sent)
    {
        var runs = 0;
        var arrived = new Barrier();
        var ended = new Barrier();
        await using var host = await KestrelTestHost.StartAsync(app =>
        {
            app.UseEndBarrier("/", ended);
            app.Use(next => async context =>
            {
                arrived.Open();
                await AbortTestApp.SignalledAsync(context.RequestAborted);
                await next(context);
            });
            app.UseClientAbortTolerance();
            app.MapPost("/", () => runs++).RunToCompletionOnClientAbort();
        });

        await using (var client = await RawHttpClient.ConnectAsync(host.Address))
        {
            await client.SendPostAsync("/", 11, new string('x', sent), "text/plain");
            await arrived.PassedAsync();
            client.Leave(Departure.Fin);
            await ended.PassedAsync();
        }

        await host.StopAsync();
        Assert.Equal(0, runs);
        Assert.Equal("499", string.Join(' ', AccessRecord.Statuses(host.Logs, "/").Select(status => status.ToString(CultureInfo.InvariantCulture))));
    }
}
