using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>How a client leaves.</summary>
public enum Departure
{
    /// <summary>An orderly close: the server reads the end of the stream (FIN).</summary>
    Fin,

    /// <summary>A reset: the server's next read or write fails (RST).</summary>
    Rst,
}

/// <summary>A bare socket that speaks just enough HTTP/1.1 to misbehave: send half a request, stall, half-close, reset.</summary>
public sealed class RawHttpClient : IAsyncDisposable
{
    private readonly Socket _socket;

    private RawHttpClient(Socket socket) => _socket = socket;

    public static async Task<RawHttpClient> ConnectAsync(Uri address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, address.Port)).WaitAsync(KestrelTestHost.Timeout);
        return new RawHttpClient(socket);
    }

    public Task SendGetAsync(string path) => SendAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");

    /// <summary>Sends the head of a POST that declares <paramref name="contentLength"/> bytes, and the part of its body given.</summary>
    public Task SendPostAsync(string path, int contentLength, string bodySoFar, string contentType = "application/json") =>
        SendAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {contentType}\r\nContent-Length: {contentLength}\r\n\r\n{bodySoFar}"));

    public async Task SendAsync(string text) =>
        await _socket.SendAsync(Encoding.ASCII.GetBytes(text)).WaitAsync(KestrelTestHost.Timeout);

    /// <summary>Reads what has arrived; an empty string once the server has closed.</summary>
    public async Task<string> ReadAsync()
    {
        var buffer = new byte[16 * 1024];
        var read = await _socket.ReceiveAsync(buffer).WaitAsync(KestrelTestHost.Timeout);
        return Encoding.UTF8.GetString(buffer, 0, read);
    }

    /// <summary>Reads until the text contains <paramref name="marker"/> or the server closes.</summary>
    public async Task<string> ReadUntilAsync(string marker)
    {
        var text = new StringBuilder();
        while (!text.ToString().Contains(marker, StringComparison.Ordinal))
        {
            var part = await ReadAsync();
            if (part.Length == 0)
            {
                break;
            }

            text.Append(part);
        }

        return text.ToString();
    }

    /// <summary>Sends FIN and keeps reading: the client has said all it has to say.</summary>
    public void HalfClose() => _socket.Shutdown(SocketShutdown.Send);

    public void Leave(Departure departure)
    {
        if (departure == Departure.Rst)
        {
            _socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        _socket.Close();
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
