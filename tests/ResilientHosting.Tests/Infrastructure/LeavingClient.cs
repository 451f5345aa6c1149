using System.Net;
using System.Net.Security;
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

    /// <summary>The request alone is given up, and the connection stays (RST_STREAM, HTTP/2 only).</summary>
    StreamReset,
}

/// <summary>A client that sends as much of a request as a test wants, and leaves when the test wants. Its socket is its own.</summary>
public abstract class LeavingClient : IAsyncDisposable
{
    // Generous: a busy build machine takes its time. No test passes by waiting that long.
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly Socket _socket;
    private readonly Stream _stream;

    protected LeavingClient(Socket socket, Stream stream)
    {
        _socket = socket;
        _stream = stream;
    }

    public static async Task<LeavingClient> ConnectAsync(Uri address, Protocol protocol) => protocol.IsHttp2
        ? await RawHttp2Client.ConnectAsync(address)
        : await RawHttpClient.ConnectAsync(address);

    public abstract Task SendGetAsync(string path);

    /// <summary>Sends the head of a POST that declares <paramref name="contentLength"/> bytes, and the part of its body given.</summary>
    public abstract Task SendPostAsync(string path, int contentLength, string bodySoFar, string contentType = "application/json");

    /// <summary>Gives up the last request, and nothing else.</summary>
    public abstract Task ResetStreamAsync();

    /// <summary>Reads what has arrived; an empty string once the server has closed.</summary>
    public async Task<string> ReadAsync()
    {
        var buffer = new byte[16 * 1024];
        var read = await _stream.ReadAsync(buffer).AsTask().WaitAsync(Timeout);
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

    /// <summary>Reads and forgets until the server closes or resets the connection.</summary>
    public async Task ReadToEndAsync()
    {
        try
        {
            await _stream.CopyToAsync(Stream.Null).WaitAsync(Timeout);
        }
        catch (IOException)
        {
            // A reset is an end as well.
        }
    }

    /// <summary>Sends FIN and keeps reading: the client has said all it has to say.</summary>
    public void HalfClose() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Leaves as programs do: where there is TLS, an orderly close says goodbye there too.</summary>
    public async Task LeaveAsync(Departure departure)
    {
        if (departure == Departure.StreamReset)
        {
            await ResetStreamAsync();
            return;
        }

        if (departure == Departure.Fin && _stream is SslStream tls)
        {
            await tls.ShutdownAsync().WaitAsync(Timeout);
        }

        Leave(departure);
    }

    /// <summary>Leaves as the kernel does for a process that has died.</summary>
    public void Leave(Departure departure)
    {
        if (departure == Departure.Rst)
        {
            _socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        else
        {
            // To close with something unread would be a reset.
            _socket.Shutdown(SocketShutdown.Send);
            for (var unread = new byte[4096]; _socket.Available > 0;)
            {
                _socket.Receive(unread);
            }
        }

        _socket.Close();
    }

    /// <summary>Sends bytes as they are, beneath TLS if there is any.</summary>
    public async Task SendBeneathAsync(ReadOnlyMemory<byte> bytes) => await _socket.SendAsync(bytes).AsTask().WaitAsync(Timeout);

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _socket.Dispose();
        GC.SuppressFinalize(this);
    }

    protected static async Task<(Socket Socket, Stream Stream)> OpenAsync(Uri address, SslApplicationProtocol protocol)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, address.Port)).WaitAsync(Timeout);
        var plain = new NetworkStream(socket, ownsSocket: false);
        if (address.Scheme != Uri.UriSchemeHttps)
        {
            return (socket, plain);
        }

        var tls = new SslStream(plain);
        await tls.AuthenticateAsClientAsync(TestCertificate.Trust(protocol)).WaitAsync(Timeout);
        return (socket, tls);
    }

    protected async Task SendAsync(ReadOnlyMemory<byte> bytes) => await _stream.WriteAsync(bytes).AsTask().WaitAsync(Timeout);
}
