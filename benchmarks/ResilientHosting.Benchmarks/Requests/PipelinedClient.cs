using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace ResilientHosting.Benchmarks;

/// <summary>Asks for one path over one connection, several requests at a time, as fast as the server answers.</summary>
internal sealed partial class PipelinedClient : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly byte[] _requests;
    private readonly byte[] _request;
    private readonly int _depth;

    public PipelinedClient(string path, int depth)
    {
        _depth = depth;
        _request = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        _requests = [.. Enumerable.Repeat(_request, depth).SelectMany(bytes => bytes)];
    }

    public async Task ConnectAsync(int port) => await _socket.ConnectAsync(IPAddress.Loopback, port);

    /// <summary>Sends until the token is cancelled and returns how many requests were answered.</summary>
    public async Task<int> RunAsync(CancellationToken end)
    {
        // All answers to one path are equally long: counting bytes is counting answers.
        var answerLength = await MeasureAnswerAsync();
        var answered = 0;
        while (!end.IsCancellationRequested)
        {
            await _socket.SendAsync(_requests, CancellationToken.None);
            for (var missing = answerLength * _depth; missing > 0;)
            {
                missing -= await ReceiveAsync(Math.Min(missing, _buffer.Length));
            }

            answered += _depth;
        }

        return answered;
    }

    public void Dispose() => _socket.Dispose();

    private async Task<int> MeasureAnswerAsync()
    {
        await _socket.SendAsync(_request, CancellationToken.None);
        var length = 0;
        while (true)
        {
            length += await ReceiveAsync(_buffer.Length - length, offset: length);
            var text = Encoding.ASCII.GetString(_buffer, 0, length);
            if (text.IndexOf("\r\n\r\n", StringComparison.Ordinal) is > 0 and var head && IsComplete(text, head))
            {
                return text.StartsWith("HTTP/1.1 200", StringComparison.Ordinal) ? length : throw new InvalidOperationException(text);
            }
        }

        static bool IsComplete(string text, int head)
        {
            var length = ContentLength().Match(text);
            return length.Success
                ? text.Length - head - 4 == int.Parse(length.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
                : throw new InvalidOperationException($"The answer has no Content-Length, so its end cannot be counted:\n{text}");
        }
    }

    [GeneratedRegex(@"\r\nContent-Length: (\d+)\r\n")]
    private static partial Regex ContentLength();

    private async ValueTask<int> ReceiveAsync(int atMost, int offset = 0)
    {
        var read = await _socket.ReceiveAsync(_buffer.AsMemory(offset, atMost), CancellationToken.None);
        return read > 0 ? read : throw new InvalidOperationException("The server closed the connection.");
    }
}
