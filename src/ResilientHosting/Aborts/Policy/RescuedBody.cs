using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections.Features;

namespace ResilientHosting.Aborts;

/// <summary>
/// A body of known length from an HTTP/1.1 client that sends everything and closes at once. Kestrel reports its end as unexpected
/// as soon as it has seen the connection's, although every byte has arrived; they are still in the connection's pipe, and are
/// taken from there.
/// </summary>
internal sealed class RescuedBody : Stream
{
    private readonly Stream _server;
    private readonly PipeReader _connection;
    private long _missing;
    private ReadOnlySequence<byte> _rest;

    private RescuedBody(Stream server, PipeReader connection, long length)
    {
        _server = server;
        _connection = connection;
        _missing = length;
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary><see langword="null"/> where there is nothing that could be lost in this way, or no way to it.</summary>
    public static RescuedBody? Over(HttpRequest request) =>
        request.ContentLength is > 0 and var length
        && request.HasOwnConnection()
        && request.HttpContext.Features.Get<IConnectionTransportFeature>() is { Transport.Input: { } connection }
            ? new RescuedBody(request.Body, connection, length)
            : null;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_missing == 0)
        {
            return 0;
        }

        if (_rest.IsEmpty)
        {
            try
            {
                var read = await _server.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
                _missing -= read;
                return read;
            }
            catch (BadHttpRequestException) when (TryRescue())
            {
                // What follows reads what has been rescued.
            }
        }

        return TakeFromRest(buffer.Span);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush()
    {
        // There is nothing to flush in what is only read.
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private bool TryRescue()
    {
        ReadResult result;
        try
        {
            // Kestrel has put everything back before it threw. A connection that was reset, not closed, has nothing left to give.
            if (!_connection.TryRead(out result))
            {
                return false;
            }
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException)
        {
            return false;
        }

        if (result.Buffer.Length < _missing)
        {
            _connection.AdvanceTo(result.Buffer.Start);
            return false;
        }

        // Consumed, so that nobody takes them for the connection's next request.
        var rest = result.Buffer.Slice(0, _missing);
        _rest = new ReadOnlySequence<byte>(rest.ToArray());
        _connection.AdvanceTo(rest.End);
        return true;
    }

    private int TakeFromRest(Span<byte> buffer)
    {
        var taken = (int)Math.Min(buffer.Length, _rest.Length);
        _rest.Slice(0, taken).CopyTo(buffer);
        _rest = _rest.Slice(taken);
        _missing -= taken;
        return taken;
    }
}
