using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <summary>Requests that live long open a scope for each message; what the request itself holds ends with the connection.</summary>
public sealed class LongLivedRequestTests : IAsyncDisposable
{
    private readonly Ledger _ledger = new();
    private readonly TaskCompletionSource _hanging = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ResourceTestHost? _host;

    public static TheoryData<Server> Servers => [Server.Kestrel, Server.TestServer];

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Servers))]
    public async Task WebSocket_EachMessageInAScope_TearsDownPerMessageAndPerConnection(Server server)
    {
        await StartAsync(server);
        using (var socket = await ConnectAsync(server))
        {
            Assert.Equal("done", await AskAsync(socket, "work"));
            Assert.Equal((ScopeOutcomeKind.Succeeded, null), Facts(await _ledger.NextOutcomeAsync()));
            Assert.Equal("no", await AskAsync(socket, "fail"));
            Assert.Equal((ScopeOutcomeKind.Faulted, "fail"), Facts(await _ledger.NextOutcomeAsync()));
            Assert.Equal("done", await AskAsync(socket, "work"));
            Assert.Equal((ScopeOutcomeKind.Succeeded, null), Facts(await _ledger.NextOutcomeAsync()));
            Assert.Equal("+Beta +Alpha -Alpha +Alpha -Alpha +Alpha -Alpha", string.Join(' ', _ledger.Events));

            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Test).Bounded();
        }

        var end = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, "-Beta"), (end.Kind, _ledger.Events.Last()));
    }

    /// <summary>Only on Kestrel: in a TestServer there is no connection whose end a handler could see while it does not read.</summary>
    [Fact]
    public async Task WebSocket_ClientLeavesDuringAMessage_ItsScopeAndTheRequestAreAborted()
    {
        await StartAsync(Server.Kestrel);
        var socket = await ConnectAsync(Server.Kestrel);
        await SendAsync(socket, "hang");
        await _hanging.Task.Bounded();

        socket.Abort();
        socket.Dispose();

        Assert.Equal(ScopeOutcomeKind.Aborted, (await _ledger.NextOutcomeAsync()).Kind);
        Assert.Equal(ScopeOutcomeKind.Aborted, (await _ledger.NextOutcomeAsync()).Kind);
        Assert.Equal("+Beta +Alpha -Alpha -Beta", string.Join(' ', _ledger.Events));
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task ServerSentEvents_EachInAScope_TearsDownPerEventAndAtTheEnd(Server server)
    {
        await StartAsync(server);

        var body = await _host!.Client.GetStringAsync("/events", Test);

        Assert.Equal("data: +Beta +Alpha -Alpha\n\ndata: +Beta +Alpha -Alpha +Alpha -Alpha\n\n", body);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);
        }

        Assert.Equal("-Beta", _ledger.Events.Last());
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        _ledger.AssertBalanced();
    }

    private static (ScopeOutcomeKind Kind, string? Message) Facts(ScopeOutcome outcome) => (outcome.Kind, outcome.Exception?.Message);

    private static async Task SendAsync(WebSocket socket, string text) =>
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, Test).Bounded();

    private static async Task<string> AskAsync(WebSocket socket, string text)
    {
        await SendAsync(socket, text);
        var buffer = new byte[64];
        var received = await socket.ReceiveAsync(buffer, Test).Bounded();
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }

    private async Task<WebSocket> ConnectAsync(Server server)
    {
        if (server == Server.TestServer)
        {
            return await _host!.Application.GetTestServer().CreateWebSocketClient().ConnectAsync(new Uri("ws://localhost/socket"), Test).Bounded();
        }

        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(_host!.Client.BaseAddress!) { Scheme = "ws", Path = "/socket" }.Uri, Test).Bounded();
        return socket;
    }

    private async Task StartAsync(Server server) => _host = await ResourceTestHost.StartAsync(
        server,
        services => services.AddTracked<Alpha>(_ledger).AddTracked<Beta>(_ledger),
        app =>
        {
            app.UseWebSockets();
            app.MapGet("/socket", TalkAsync);
            app.MapGet("/events", (HttpContext context, Resource<Beta> beta) => TypedResults.ServerSentEvents(TellAsync(context)));
        });

    private async Task TalkAsync(HttpContext context, Resource<Beta> beta)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[64];
        while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: WebSocketMessageType.Text } received)
        {
            var message = Encoding.UTF8.GetString(buffer, 0, received.Count);
            await SendAnswerAsync(await AnswerAsync(message));
        }

        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);

        async Task<string> AnswerAsync(string message)
        {
            try
            {
                await context.RequestServices.RunInResourceScopeAsync(
                    "message", (scope, token) => WorkAsync(scope, message, token), context.RequestAborted);
                return "done";
            }
            catch (InvalidOperationException)
            {
                return "no";
            }
        }

        Task SendAnswerAsync(string answer) =>
            socket.SendAsync(Encoding.UTF8.GetBytes(answer), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
    }

    private async Task WorkAsync(ResourceScope scope, string message, CancellationToken cancellationToken)
    {
        await scope.GetAsync<Alpha>(cancellationToken);
        switch (message)
        {
            case "fail":
                throw new InvalidOperationException(message);
            case "hang":
                _hanging.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
                break;
        }
    }

    private async IAsyncEnumerable<string> TellAsync(HttpContext context)
    {
        for (var i = 0; i < 2; i++)
        {
            await context.RequestServices.RunInResourceScopeAsync(
                "event", (scope, token) => scope.GetAsync<Alpha>(token).AsTask(), context.RequestAborted);
            yield return string.Join(' ', _ledger.Events);
        }
    }
}
