using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>
/// Speaks just enough HTTP/1.1, in clear text or over TLS as the address says, to misbehave: send half a request, stall, half-close, reset.
/// </summary>
public sealed class RawHttpClient : LeavingClient
{
    private RawHttpClient(Socket socket, Stream stream)
        : base(socket, stream)
    {
    }

    public static async Task<RawHttpClient> ConnectAsync(Uri address)
    {
        var (socket, stream) = await OpenAsync(address, SslApplicationProtocol.Http11);
        return new RawHttpClient(socket, stream);
    }

    public override Task SendGetAsync(string path) => SendAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");

    public override Task SendPostAsync(string path, int contentLength, string bodySoFar, string contentType = "application/json") =>
        SendAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {contentType}\r\nContent-Length: {contentLength}\r\n\r\n{bodySoFar}"));

    public override Task ResetStreamAsync() => throw new NotSupportedException("HTTP/1.1 has no streams; leave with FIN or RST.");

    public Task SendAsync(string text) => SendAsync(Encoding.ASCII.GetBytes(text));
}
