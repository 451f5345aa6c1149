using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>What a server answered, and the generation that it named, if it did.</summary>
public sealed record Answer(int Status, string? Generation, string Body);

/// <summary>
/// A client with one connection that it never gives up by itself: it opens another only where the server has asked for that, with
/// <c>Connection: close</c>. Unlike <see cref="HttpClient"/> it repeats nothing, so a request that fails is seen.
/// </summary>
public sealed class KeepAliveClient(Uri address) : IDisposable
{
    private readonly byte[] _buffer = new byte[16 * 1024];
    private TcpClient? _connection;
    private int _start;
    private int _end;

    public Task<Answer> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n", cancellationToken);

    public Task<Answer> PostAsync(string path, string body, CancellationToken cancellationToken) => SendAsync(
        string.Create(CultureInfo.InvariantCulture, $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {body.Length}\r\n\r\n{body}"),
        cancellationToken);

    public void Dispose() => _connection?.Dispose();

    private async Task<Answer> SendAsync(string request, CancellationToken cancellationToken)
    {
        if (_connection is null)
        {
            _connection = new TcpClient { NoDelay = true };
            await _connection.ConnectAsync(address.Host, address.Port, cancellationToken);
            (_start, _end) = (0, 0);
        }

        await _connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), cancellationToken);
        var status = int.Parse((await ReadLineAsync(cancellationToken)).Split(' ')[1], CultureInfo.InvariantCulture);
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await ReadLineAsync(cancellationToken) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers[line[..colon]] = line[(colon + 1)..].Trim();
        }

        var body = headers.TryGetValue("Content-Length", out var length)
            ? await ReadAsync(int.Parse(length, CultureInfo.InvariantCulture), cancellationToken)
            : await ReadChunksAsync(cancellationToken);
        if (headers.GetValueOrDefault("Connection") == "close")
        {
            _connection.Dispose();
            _connection = null;
        }

        return new Answer(status, headers.GetValueOrDefault(ReloadableApp.Generation), body);
    }

    private async Task<string> ReadChunksAsync(CancellationToken cancellationToken)
    {
        var body = new StringBuilder();
        while (true)
        {
            var size = int.Parse(await ReadLineAsync(cancellationToken), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            body.Append(await ReadAsync(size, cancellationToken));
            await ReadLineAsync(cancellationToken);
            if (size == 0)
            {
                return body.ToString();
            }
        }
    }

    private async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        while (true)
        {
            var found = Array.IndexOf(_buffer, (byte)'\n', _start, _end - _start);
            line.Append(Encoding.UTF8.GetString(_buffer, _start, (found < 0 ? _end : found) - _start));
            if (found >= 0)
            {
                _start = found + 1;
                return line.ToString().TrimEnd('\r');
            }

            await FillAsync(cancellationToken);
        }
    }

    private async Task<string> ReadAsync(int length, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        while (bytes.Length < length)
        {
            if (_start == _end)
            {
                await FillAsync(cancellationToken);
            }

            var count = Math.Min(_end - _start, length - (int)bytes.Length);
            bytes.Write(_buffer, _start, count);
            _start += count;
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private async Task FillAsync(CancellationToken cancellationToken)
    {
        _start = 0;
        _end = await _connection!.GetStream().ReadAsync(_buffer, cancellationToken);
        if (_end == 0)
        {
            throw new EndOfStreamException("The server closed the connection in the middle of an exchange.");
        }
    }
}
