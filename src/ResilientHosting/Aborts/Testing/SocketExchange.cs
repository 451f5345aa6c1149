using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace ResilientHosting.Aborts;

/// <summary>A request on a socket of its own that is closed or reset at a phase.</summary>
internal sealed class SocketExchange : IDisposable
{
    private const string EndOfHead = "\r\n\r\n";

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[4096];
    private readonly StringBuilder _received = new();

    public static async Task RunAsync(
        Uri address, bool withReset, HttpRequestMessage request, ClientAbortPhase phase, Task? when, CancellationToken cancellationToken)
    {
        using var exchange = new SocketExchange();
        await exchange._socket.ConnectAsync(address.Host, address.Port, cancellationToken).ConfigureAwait(false);
        await exchange.ReachAsync(address, request, phase, when, cancellationToken).ConfigureAwait(false);
        await (when ?? Task.CompletedTask).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (withReset)
        {
            exchange._socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
    }

    public void Dispose() => _socket.Dispose();

    private async Task ReachAsync(
        Uri address, HttpRequestMessage request, ClientAbortPhase phase, Task? when, CancellationToken cancellationToken)
    {
        var body = request.Content is { } content ? await content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false) : [];
        await SendAsync(Encoding.Latin1.GetBytes(HeadOf(address, request, phase, body.Length)), cancellationToken).ConfigureAwait(false);
        switch (phase)
        {
            case ClientAbortPhase.RequestBody:
                await ReadHeadAsync(cancellationToken).ConfigureAwait(false);
                if (!_received.ToString().StartsWith("HTTP/1.1 100", StringComparison.Ordinal))
                {
                    throw AbortingClient.TooEarly(StatusLine(), phase);
                }

                await SendAsync(body.AsMemory(0, body.Length / 2), cancellationToken).ConfigureAwait(false);
                break;
            case ClientAbortPhase.Queued or ClientAbortPhase.Compute:
                await SendAsync(body, cancellationToken).ConfigureAwait(false);
                await WaitUnansweredAsync(when!, phase, cancellationToken).ConfigureAwait(false);
                break;
            case ClientAbortPhase.Delivered:
                await SendAsync(body, cancellationToken).ConfigureAwait(false);
                while (await ReceiveAsync(cancellationToken).ConfigureAwait(false))
                {
                    // The server closes after its answer, because it was asked to.
                }

                break;
            default:
                await SendAsync(body, cancellationToken).ConfigureAwait(false);
                var head = await ReadHeadAsync(cancellationToken).ConfigureAwait(false);
                if (_received.Length == head && !await ReceiveAsync(cancellationToken).ConfigureAwait(false))
                {
                    throw AbortingClient.TooEarly(StatusLine(), phase);
                }

                break;
        }
    }

    private static string HeadOf(Uri address, HttpRequestMessage request, ClientAbortPhase phase, int bodyLength)
    {
        var target = request.RequestUri is { } uri ? new Uri(address, uri).PathAndQuery : "/";
        var head = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"{request.Method} {target} HTTP/1.1\r\n")
            .Append(CultureInfo.InvariantCulture, $"Host: {request.Headers.Host ?? address.Authority}\r\n");
        foreach (var (name, values) in request.Headers.NonValidated.Concat(request.Content?.Headers.NonValidated ?? default))
        {
            // These say how the request is sent, which is decided here.
            if (name is not ("Host" or "Connection" or "Content-Length" or "Transfer-Encoding" or "Expect"))
            {
                head.Append(CultureInfo.InvariantCulture, $"{name}: {values}\r\n");
            }
        }

        if (request.Content is not null)
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {bodyLength}\r\n");
        }

        return head
            .Append(phase == ClientAbortPhase.RequestBody ? "Expect: 100-continue\r\n" : "")
            .Append("Connection: close\r\n\r\n").ToString();
    }

    private async Task WaitUnansweredAsync(Task when, ClientAbortPhase phase, CancellationToken cancellationToken)
    {
        using var listening = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var answer = ReceiveAsync(listening.Token);
        if (await Task.WhenAny(when, answer).WaitAsync(cancellationToken).ConfigureAwait(false) == answer)
        {
            await answer.ConfigureAwait(false);
            throw AbortingClient.TooEarly(StatusLine(), phase);
        }

        // A socket that is closed during a read may be reset.
        await listening.CancelAsync().ConfigureAwait(false);
        await ((Task)answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>The length of the head.</summary>
    private async Task<int> ReadHeadAsync(CancellationToken cancellationToken)
    {
        int end;
        while ((end = _received.ToString().IndexOf(EndOfHead, StringComparison.Ordinal)) < 0)
        {
            if (!await ReceiveAsync(cancellationToken).ConfigureAwait(false))
            {
                throw new IOException("The server closed the connection before it had sent the head of its answer.");
            }
        }

        return end + EndOfHead.Length;
    }

    private string StatusLine() => _received.Length == 0 ? "by closing the connection" : _received.ToString().Split("\r\n")[0];

    private async Task<bool> ReceiveAsync(CancellationToken cancellationToken)
    {
        var count = await _socket.ReceiveAsync(_buffer, cancellationToken).ConfigureAwait(false);
        _received.Append(Encoding.Latin1.GetString(_buffer, 0, count));
        return count > 0;
    }

    private async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await _socket.SendAsync(bytes, cancellationToken).ConfigureAwait(false)..];
        }
    }
}
