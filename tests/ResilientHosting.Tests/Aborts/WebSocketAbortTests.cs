using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts;

/// <summary>A WebSocket whose client vanishes without a closing handshake, and what must not be taken for one.</summary>
public sealed class WebSocketAbortTests
{
    private const string Upgrade =
        "GET /socket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    private readonly Barrier _ended = new();
    private int _teardowns;
    private ScopeOutcomeKind? _outcome;

    public enum Handler
    {
        Receives,
        ReceivesWithToken,
        Sends,
        Wraps,
    }

    public static TheoryData<Handler, Departure, Pipeline, string> Cells() => new MatrixTheoryData<Handler, Departure, Pipeline, string>(
        Enum.GetValues<Handler>(), [Departure.Fin, Departure.Rst], Enum.GetValues<Pipeline>(), ["Production", "Development"]);

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task Client_VanishesWithoutClosing_IsQuiet(Handler handler, Departure departure, Pipeline pipeline, string environment)
    {
        await using var host = await StartAsync(handler, pipeline, environment);
        await using (var client = await RawHttpClient.ConnectAsync(host.Address))
        {
            await client.SendAsync(Upgrade);
            Assert.Contains("ready", await client.ReadUntilAsync("ready"), StringComparison.Ordinal);
            client.Leave(departure);
            await _ended.PassedAsync();
        }

        await host.StopAsync();
        Assert.Contains("in phase WebSocket by Client;", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
        Assert.Equal([101], AccessRecord.Statuses(host.Logs, "/socket"));
        Assert.Equal((1, ScopeOutcomeKind.Aborted), (_teardowns, _outcome));
    }

    [Fact]
    public async Task ClientWebSocket_Aborts_IsQuiet()
    {
        await using var host = await StartAsync(Handler.Receives);
        using var socket = await ConnectAsync(host);
        await socket.ReceiveAsync(new byte[16], TestContext.Current.CancellationToken);

        socket.Abort();

        await _ended.PassedAsync();
        await host.StopAsync();
        Assert.Contains("in phase WebSocket by Client;", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_ClosesInOrder_IsNoAbort()
    {
        await using var host = await StartAsync(Handler.Receives);
        using var socket = await ConnectAsync(host);
        await socket.ReceiveAsync(new byte[16], TestContext.Current.CancellationToken);

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken);

        await _ended.PassedAsync();
        await host.StopAsync();
        Assert.DoesNotContain(host.Logs.Lines, line => line.Event.Name == "ClientAborted");
        Assert.Equal((1, ScopeOutcomeKind.Succeeded), (_teardowns, _outcome));
    }

    [Theory]
    [InlineData(Pipeline.WithoutExceptionHandler)]
    [InlineData(Pipeline.InsideExceptionHandler)]
    public async Task OnwardSocket_ItsServerVanishes_IsStillAnError(Pipeline pipeline)
    {
        await using var backend = await KestrelTestHost.StartAsync(app =>
        {
            app.UseWebSockets();
            app.Map("/socket", async (HttpContext context) =>
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                context.Abort();
            });
        });
        await using var host = await StartAsync(Handler.Receives, pipeline, onward: backend);
        using var socket = await ConnectAsync(host);

        await Assert.ThrowsAsync<WebSocketException>(() => socket.ReceiveAsync(new byte[16], TestContext.Current.CancellationToken));

        await _ended.PassedAsync();
        await host.StopAsync();
        var problems = host.Logs.Expect("ApplicationError").Expect("UnhandledException").Expect("ResponseStarted").Problems;
        Assert.Contains(problems, line => line is { Level: LogLevel.Error, Exception: WebSocketException });
        Assert.DoesNotContain(host.Logs.Lines, line => line.Event.Name == "ClientAborted");
    }

    private static async Task<ClientWebSocket> ConnectAsync(KestrelTestHost host)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(
            new UriBuilder(host.Address) { Scheme = "ws", Path = "/socket" }.Uri, TestContext.Current.CancellationToken);
        return socket;
    }

    private Task<KestrelTestHost> StartAsync(
        Handler handler,
        Pipeline pipeline = Pipeline.WithoutExceptionHandler,
        string environment = "Production",
        KestrelTestHost? onward = null) => KestrelTestHost.StartAsync(
        app =>
        {
            app.UseEndBarrier("/socket", _ended);
            AbortTestApp.UsePipeline(app, pipeline);
            app.UseWebSockets();
            app.Map("/socket", async (HttpContext context, IRequestResource<Ticket> resource) =>
            {
                await resource.GetAsync(context.RequestAborted);
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                if (onward is not null)
                {
                    using var upstream = await ConnectAsync(onward);
                    await ReceiveAllAsync(upstream, CancellationToken.None);
                    return;
                }

                await SendAsync(socket);
                await (handler switch
                {
                    Handler.Receives => ReceiveAllAsync(socket, CancellationToken.None),
                    Handler.ReceivesWithToken => ReceiveAllAsync(socket, context.RequestAborted),
                    Handler.Sends => SendAllAsync(socket, context.RequestAborted),
                    _ => WrapAsync(socket),
                });
            });
        },
        builder =>
        {
            builder.Services.AddClientAbortTolerance().AddProblemDetails();
            builder.Services.AddRequestScopedResource(
                (_, _) => new ValueTask<Ticket>(new Ticket()),
                (_, teardown) =>
                {
                    Interlocked.Increment(ref _teardowns);
                    _outcome = teardown.Outcome.Kind;
                    return default;
                });
        },
        environment);

    private static async Task ReceiveAllAsync(WebSocket socket, CancellationToken token)
    {
        var buffer = new byte[16];
        while ((await socket.ReceiveAsync(buffer, token)).MessageType != WebSocketMessageType.Close)
        {
        }

        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, token);
    }

    private static async Task SendAllAsync(WebSocket socket, CancellationToken token)
    {
        while (!token.IsCancellationRequested)
        {
            await SendAsync(socket);
            await Task.Yield();
        }
    }

    private static async Task WrapAsync(WebSocket socket)
    {
        try
        {
            await ReceiveAllAsync(socket, CancellationToken.None);
        }
        catch (WebSocketException exception)
        {
            throw new InvalidOperationException("The conversation broke off.", exception);
        }
    }

    private static Task SendAsync(WebSocket socket) =>
        socket.SendAsync(Encoding.ASCII.GetBytes("ready"), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    public sealed class Ticket;
}
