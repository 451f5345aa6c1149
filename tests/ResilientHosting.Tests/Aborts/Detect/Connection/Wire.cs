using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Detect.Connection;

/// <summary>What a client and the server speak.</summary>
public enum Wire
{
    Http11,
    Http11OverTls,
    Http2,
}

/// <summary>The connection hook of a server.</summary>
public enum Hook
{
    Missing,
    Causes,
    HalfClosedClients,
}

/// <summary>Connections of a test server, counted from outside the hook, where a leak would show.</summary>
public sealed class CountedConnections
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _none = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _open;

    public int Served { get; private set; }

    /// <summary>Until no connection is left.</summary>
    public Task NoneAsync()
    {
        lock (_lock)
        {
            return _open == 0 ? Task.CompletedTask : _none.Task.WaitAsync(KestrelTestHost.Timeout);
        }
    }

    public async Task CountAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        lock (_lock)
        {
            _open++;
            Served++;
        }

        // The transport's own token, so that a handler can wait for the kernel's news whatever the hook does.
        connection.Features.Set(new TransportClosed(connection.ConnectionClosed));
        try
        {
            await next(connection);
        }
        finally
        {
            lock (_lock)
            {
                if (--_open == 0)
                {
                    _none.SetResult();
                    _none = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
        }
    }
}

public sealed record TransportClosed(CancellationToken Token);

public static class WireHost
{
    public static Task<KestrelTestHost> StartAsync(
        Wire wire,
        Hook hook,
        Action<WebApplication> configureApp,
        CountedConnections? connections = null,
        Action<WebApplicationBuilder>? configureBuilder = null) =>
        KestrelTestHost.StartAsync(configureApp, builder =>
        {
            configureBuilder?.Invoke(builder);
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen =>
            {
                listen.Protocols = wire == Wire.Http2 ? HttpProtocols.Http2 : HttpProtocols.Http1;
                if (connections is not null)
                {
                    listen.Use(next => connection => connections.CountAsync(connection, next));
                }

                if (wire == Wire.Http11OverTls)
                {
                    listen.UseHttps(TestCertificate.Value);
                }

                if (hook != Hook.Missing)
                {
                    listen.UseClientAbortTolerance(answerHalfClosedClients: hook == Hook.HalfClosedClients);
                }
            }));
        });
}

/// <summary>A client with its socket in reach, so that it can leave in any way.</summary>
public sealed class WireClient : IAsyncDisposable
{
    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly HttpClient? _http2;
    private readonly Uri _address;
    private Task? _answer;

    private WireClient(Socket socket, Stream stream, HttpClient? http2, Uri address)
    {
        _socket = socket;
        _stream = stream;
        _http2 = http2;
        _address = address;
    }

    public Socket Socket => _socket;

    public static async Task<WireClient> ConnectAsync(Uri address, Wire wire)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, address.Port)).WaitAsync(KestrelTestHost.Timeout);
        Stream stream = new NetworkStream(socket, ownsSocket: false);
        if (wire == Wire.Http11OverTls)
        {
            var tls = new SslStream(stream);
            await tls.AuthenticateAsClientAsync(TestCertificate.Trust()).WaitAsync(KestrelTestHost.Timeout);
            stream = tls;
        }

        var http2 = wire == Wire.Http2 ? CreateHttp2(stream) : null;
        return new WireClient(socket, stream, http2, new Uri($"http://localhost:{address.Port}"));
    }

    /// <summary>
    /// Sends <c>GET /</c> over HTTP/2 and never reads. Its windows are wide open, so that only the socket stops the server: Kestrel
    /// demands no rate of a response that waits for a window.
    /// </summary>
    public static async Task<WireClient> StallHttp2Async(Uri address)
    {
        var client = await ConnectAsync(address, Wire.Http11);
        byte[] frames =
        [
            .. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8,
            0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff, // SETTINGS: INITIAL_WINDOW_SIZE is the largest.
            0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0xff, 0x00, 0x00, // WINDOW_UPDATE of the connection.
            0, 0, 14, 1, 5, 0, 0, 0, 1, 0x82, 0x84, 0x86, 0x41, 9, .. "localhost"u8, // HEADERS, the last frame of its stream.
        ];
        await client.SendAsync(frames);
        return client;
    }

    /// <summary>Sends a GET and does not wait for the answer.</summary>
    public async Task GetAsync(string path)
    {
        if (_http2 is null)
        {
            await SendAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        }
        else
        {
            _answer = _http2.GetAsync(new Uri(_address, path), HttpCompletionOption.ResponseHeadersRead);
        }
    }

    public Task SendAsync(string text) => SendAsync(Encoding.ASCII.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) =>
        await _stream.WriteAsync(bytes).AsTask().WaitAsync(KestrelTestHost.Timeout);

    /// <summary>Says, over TLS in TLS's own words too, that nothing more will be sent, and stays for the answer.</summary>
    public async Task HalfCloseAsync()
    {
        if (_stream is SslStream tls)
        {
            await tls.ShutdownAsync().WaitAsync(KestrelTestHost.Timeout);
        }

        _socket.Shutdown(SocketShutdown.Send);
    }

    public async Task AnswerBeginsAsync()
    {
        if (_answer is null)
        {
            Assert.NotEqual(0, await _stream.ReadAsync(new byte[1024]).AsTask().WaitAsync(KestrelTestHost.Timeout));
        }
        else
        {
            await _answer.WaitAsync(KestrelTestHost.Timeout);
        }
    }

    /// <summary>Everything the server sends until it closes; what had come until then if it resets.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            int read;
            while ((read = await _stream.ReadAsync(buffer).AsTask().WaitAsync(KestrelTestHost.Timeout)) > 0)
            {
                text.Append(Encoding.ASCII.GetString(buffer, 0, read));
            }
        }
        catch (IOException)
        {
            // The server cut the connection: what came before is the answer there is.
        }

        return text.ToString();
    }

    public void Leave(Departure departure)
    {
        if (departure == Departure.Rst)
        {
            _socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        _socket.Close();
    }

    public async ValueTask DisposeAsync()
    {
        _http2?.Dispose();
        _socket.Dispose();
        if (_answer is not null)
        {
            await _answer.WaitAsync(KestrelTestHost.Timeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static HttpClient CreateHttp2(Stream connection) => new(new SocketsHttpHandler
    {
        ConnectCallback = (_, _) => ValueTask.FromResult(connection),
    })
    {
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = KestrelTestHost.Timeout,
    };
}
