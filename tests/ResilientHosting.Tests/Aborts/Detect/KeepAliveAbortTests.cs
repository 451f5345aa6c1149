using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Detect;

public sealed class KeepAliveAbortTests
{
    /// <summary>
    /// The end of the connection is noticed while the last request is still in the buffer. The server does not fire the token that an
    /// earlier request has made it create.
    /// </summary>
    [Fact]
    public async Task NextRequest_ConnectionEndsBeforeItBegins_IsAnAbort()
    {
        var ended = new Barrier();
        IClientAbortFeature? seenOutside = null;
        await using var host = await KestrelTestHost.StartAsync(
            app =>
            {
                app.UseEndBarrier("/second", ended);
                app.Use(next => async context =>
                {
                    try
                    {
                        await next(context);
                    }
                    finally
                    {
                        seenOutside = context.Features.Get<IClientAbortFeature>();
                        Assert.Equal(context.Request.Path == "/second", context.RequestAborted.IsCancellationRequested);
                    }
                });
                app.UseClientAbortTolerance();
                app.MapGet("/first", (CancellationToken aborted) => aborted.CanBeCanceled);
                app.MapGet("/second", (CancellationToken aborted) => AbortTestApp.UntilAsync(aborted));
            },
            builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen =>
                listen.Use(next => connection =>
                {
                    connection.Transport = new LateTransport(connection.Transport, connection.ConnectionClosed);
                    return next(connection);
                }))));

        await using (var client = await RawHttpClient.ConnectAsync(host.Address))
        {
            await client.SendGetAsync("/first");
            Assert.Contains("true", await client.ReadUntilAsync("true"), StringComparison.Ordinal);
            await client.SendGetAsync("/second");

            // In an orderly way: a reset may take the request along.
            client.Leave(Departure.Fin);
            await ended.PassedAsync();
        }

        await host.StopAsync();
        Assert.Equal((ClientAbortCause.Client, ClientAbortPhase.Queued), (seenOutside!.Cause, seenOutside.Phase));
        Assert.Contains("Dropped", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
    }

    /// <summary>Hands the second request on when the connection's end has been announced.</summary>
    private sealed class LateTransport(IDuplexPipe transport, CancellationToken connectionClosed) : PipeReader, IDuplexPipe
    {
        public PipeReader Input => this;

        public PipeWriter Output => transport.Output;

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            var result = await transport.Input.ReadAsync(cancellationToken);
            if (Encoding.ASCII.GetString(result.Buffer.ToArray()).Contains("/second", StringComparison.Ordinal))
            {
                await AbortTestApp.SignalledAsync(connectionClosed);
            }

            return result;
        }

        public override bool TryRead(out ReadResult result) => transport.Input.TryRead(out result);

        public override void AdvanceTo(SequencePosition consumed) => transport.Input.AdvanceTo(consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) =>
            transport.Input.AdvanceTo(consumed, examined);

        public override void CancelPendingRead() => transport.Input.CancelPendingRead();

        public override void Complete(Exception? exception = null) => transport.Input.Complete(exception);
    }
}
