using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Aborts;

/// <summary>
/// The request body, read through a witness. A read that fails because the client has left fails a little before the server
/// cancels the request, so everybody who asks "was it cancelled?" on the way up gets the wrong answer. The witness remembers the
/// exception and lets the server catch up before it passes the exception on.
/// </summary>
internal sealed class ObservedRequestBody : Stream, IRequestBodyPipeFeature
{
    private readonly HttpRequest _request;
    private readonly Stream _server;
    private readonly IRequestBodyPipeFeature? _serverPipe;
    private readonly PipeReader? _serverReader;
    private readonly AbortMonitor _monitor;
    private ObservedBodyReader? _reader;
    private long _received;
    private volatile bool _isReading;
    private volatile bool _begun;
    private volatile bool _endSeen;

    private ObservedRequestBody(HttpRequest request, IRequestBodyPipeFeature? serverPipe, AbortMonitor monitor)
    {
        _request = request;
        _server = request.Body;
        _serverPipe = serverPipe;

        // Servers hand out their own reader only while the body is their own, so it has to be fetched before the body is replaced.
        _serverReader = serverPipe?.Reader;
        _monitor = monitor;
    }

    /// <summary>A failure that may mean the client has left, until the server has had its time to confirm it.</summary>
    public Exception? UnsettledFailure { get; private set; }

    /// <summary>Whether the server gave up on the body because it arrived too slowly.</summary>
    public bool WasTooSlow { get; private set; }

    public string Protocol => _request.Protocol;

    /// <summary>What has been read through the stream; <see langword="null"/> where the application reads through the pipe.</summary>
    public long? BytesRead => _reader is null ? _received : null;

    /// <summary>Whether the client has announced how long the body is, and does not send it in chunks all the same.</summary>
    public bool HasKnownLength => _request.ContentLength is not null && _request.Headers.TransferEncoding.Count == 0;

    public bool IsReading => _isReading || UnsettledFailure is not null;

    /// <summary>Whether the application has begun to read and not come to the end, even if it is between two reads.</summary>
    public bool IsIncomplete => _begun && !_endSeen;

    public bool IsRead => _endSeen;

    /// <summary>The server's zero-copy reader while the body is untouched; a reader over whatever replaced the body otherwise.</summary>
    public PipeReader Reader => ReferenceEquals(_request.Body, this)
        ? _reader ??= new ObservedBodyReader(_serverReader!, this)
        : _serverPipe!.Reader;

    public override bool CanRead => _server.CanRead;

    public override bool CanSeek => _server.CanSeek;

    public override bool CanWrite => _server.CanWrite;

    public override bool CanTimeout => _server.CanTimeout;

    public override int ReadTimeout { get => _server.ReadTimeout; set => _server.ReadTimeout = value; }

    public override long Length => _server.Length;

    public override long Position { get => _server.Position; set => _server.Position = value; }

    public static ObservedRequestBody? Attach(HttpContext context, AbortMonitor monitor)
    {
        if (context.Features.Find<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
        {
            return null;
        }

        var serverPipe = context.Features.Find<IRequestBodyPipeFeature>();
        var body = new ObservedRequestBody(context.Request, serverPipe, monitor);
        context.Request.Body = body;
        if (serverPipe is not null)
        {
            context.Features.Put<IRequestBodyPipeFeature>(body);
        }

        return body;
    }

    /// <summary>Gives the server's body back, unless the application has put its own in place (a rewindable one, say).</summary>
    public void Detach(HttpContext context)
    {
        if (!ReferenceEquals(context.Request.Body, this))
        {
            return;
        }

        context.Request.Body = _server;
        if (_serverPipe is not null)
        {
            context.Features.Put(_serverPipe);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<T> ObserveAsync<T>(ValueTask<T> read, CancellationToken cancellationToken)
    {
        _isReading = true;
        try
        {
            return await read.ConfigureAwait(false);
        }
        catch (Exception exception) when (Witness(exception, cancellationToken))
        {
            await _monitor.SettleAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            _isReading = false;
        }
    }

    /// <summary>Remembers an exception that may mean the client has left. Always <see langword="false"/> for one that cannot.</summary>
    public bool Witness(Exception exception, CancellationToken cancellationToken = default)
    {
        switch (exception)
        {
            case BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout }:
                WasTooSlow = true;
                return false;

            // Kestrel reports a body that ends early and a malformed one alike; only the settling tells them apart.
            case BadHttpRequestException rejected when rejected.StatusCode != StatusCodes.Status400BadRequest:
            case OperationCanceledException when cancellationToken.IsCancellationRequested:
                return false;

            case IOException or OperationCanceledException:
                UnsettledFailure = exception;
                return true;

            default:
                return false;
        }
    }

    public void Settled() => UnsettledFailure = null;

    public void ReadBegins() => _begun = true;

    public void EndReached() => _endSeen = true;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ReadBegins();
        ValueTask<int> read;
        try
        {
            read = _server.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception exception) when (Witness(exception, cancellationToken))
        {
            read = ValueTask.FromException<int>(exception);
        }

        return read.IsCompletedSuccessfully
            ? new(Received(read.Result, buffer.Length))
            : ReceiveAsync(read, buffer.Length, cancellationToken);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        ReadBegins();
        try
        {
            return Received(_server.Read(buffer), buffer.Length);
        }
        catch (Exception exception) when (Witness(exception))
        {
            // A synchronous reader cannot wait here; the middleware settles it when the exception arrives there.
            throw;
        }
    }

    public override IAsyncResult BeginRead(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    public override long Seek(long offset, SeekOrigin origin) => _server.Seek(offset, origin);

    public override void SetLength(long value) => _server.SetLength(value);

    public override void Flush() => _server.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => _server.FlushAsync(cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => _server.Write(buffer, offset, count);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _server.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _server.WriteAsync(buffer, offset, count, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _server.Dispose();
        }

        base.Dispose(disposing);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReceiveAsync(ValueTask<int> read, int wanted, CancellationToken cancellationToken) =>
        Received(await ObserveAsync(read, cancellationToken).ConfigureAwait(false), wanted);

    /// <summary>Notes the end: the read that finds nothing, or the last of as many bytes as were announced.</summary>
    private int Received(int count, int wanted)
    {
        _received += count;
        if ((count == 0 && wanted > 0) || _received == _request.ContentLength)
        {
            EndReached();
        }

        return count;
    }
}
