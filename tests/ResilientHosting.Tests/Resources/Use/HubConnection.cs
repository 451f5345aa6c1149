using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.TestHost;

namespace ResilientHosting.Tests.Resources;

/// <summary>A SignalR client in the JSON protocol: as much of it as the tests need. The client package is not part of the framework.</summary>
public sealed class HubConnection : IAsyncDisposable
{
    private const char EndOfMessage = '\u001e';

    private readonly WebSocket _socket;
    private readonly StringBuilder _received = new();
    private int _invocations;

    private HubConnection(WebSocket socket) => _socket = socket;

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    public static async Task<HubConnection> OpenAsync(ResourceTestHost host, string path)
    {
        var address = new UriBuilder(host.Client.BaseAddress!) { Scheme = "ws", Path = path }.Uri;
        WebSocket socket;
        if (host.Server == Server.TestServer)
        {
            socket = await host.Application.GetTestServer().CreateWebSocketClient().ConnectAsync(address, Test).Bounded();
        }
        else
        {
            var client = new ClientWebSocket();
            await client.ConnectAsync(address, Test).Bounded();
            socket = client;
        }

        return await OpenAsync(socket);
    }

    public static async Task<HubConnection> OpenAsync(Uri server, string path)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(server) { Scheme = "ws", Path = path }.Uri, Test).Bounded();
        return await OpenAsync(socket);
    }

    private static async Task<HubConnection> OpenAsync(WebSocket socket)
    {
        var connection = new HubConnection(socket);
        await connection.SendAsync(new JsonObject { ["protocol"] = "json", ["version"] = 1 });
        Assert.Equal("{}", (await connection.ReceiveAsync()).ToJsonString());
        return connection;
    }

    /// <summary>Calls a method and waits for its completion: <c>result</c> or <c>error</c>.</summary>
    public async Task<JsonObject> InvokeAsync(string method)
    {
        await SendAsync(Call(type: 1, method));
        return await ReceiveAsync(type: 3);
    }

    /// <summary>Calls a streaming method and waits for its completion. Returns it with the number of items received before.</summary>
    public async Task<(int Items, JsonObject Completion)> StreamAsync(string method)
    {
        await SendAsync(Call(type: 4, method));
        for (var items = 0; ; items++)
        {
            var message = await ReceiveAsync(type: null);
            if ((int)message["type"]! == 3)
            {
                return (items, message);
            }
        }
    }

    public Task SendInvocationAsync(string method) => SendAsync(Call(type: 1, method));

    /// <summary>Leaves without a word.</summary>
    public void Abort() => _socket.Abort();

    public async ValueTask DisposeAsync()
    {
        if (_socket.State == WebSocketState.Open)
        {
            await _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Test).Bounded();
        }

        _socket.Dispose();
    }

    private JsonObject Call(int type, string method) => new()
    {
        ["type"] = type,
        ["invocationId"] = $"{++_invocations}",
        ["target"] = method,
        ["arguments"] = new JsonArray(),
    };

    private async Task SendAsync(JsonObject message) => await _socket.SendAsync(
        Encoding.UTF8.GetBytes(message.ToJsonString() + EndOfMessage), WebSocketMessageType.Text, endOfMessage: true, Test).Bounded();

    /// <summary>The next message of a type, or of any but pings.</summary>
    private async Task<JsonObject> ReceiveAsync(int? type)
    {
        while (true)
        {
            var message = await ReceiveAsync();
            if (type is null ? (int)message["type"]! != 6 : (int)message["type"]! == type)
            {
                return message;
            }
        }
    }

    private async Task<JsonObject> ReceiveAsync()
    {
        var buffer = new byte[1024];
        int end;
        while ((end = _received.ToString().IndexOf(EndOfMessage, StringComparison.Ordinal)) < 0)
        {
            var part = await _socket.ReceiveAsync(buffer, Test).Bounded();
            Assert.Equal(WebSocketMessageType.Text, part.MessageType);
            _received.Append(Encoding.UTF8.GetString(buffer, 0, part.Count));
        }

        var message = _received.ToString(0, end);
        _received.Remove(0, end + 1);
        return JsonSerializer.Deserialize<JsonObject>(message)!;
    }
}
