using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Reloading;

/// <summary>The body of a response that may be a page: it passes through as it comes, with a script put in.</summary>
/// <param name="inner">Where the body goes.</param>
internal sealed class PageBody(IHttpResponseBodyFeature inner) : Stream, IHttpResponseBodyFeature
{
    private readonly ScriptPlace _place = new();
    private PipeWriter? _writer;
    private byte[] _held = [];
    private byte[]? _script;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public Stream Stream => this;

    public PipeWriter Writer => _writer ??= PipeWriter.Create(this, new StreamPipeWriterOptions(leaveOpen: true));

    /// <summary>Gets a value indicating whether it begins as text does in which letters are two bytes long.</summary>
    public bool HasWideLetters { get; private set; }

    /// <summary>Says, as the response starts, that it is a page and gets this script.</summary>
    public void Insert(byte[] script) => _script = script;

    public void DisableBuffering() => inner.DisableBuffering();

    public Task StartAsync(CancellationToken cancellationToken = default) => inner.StartAsync(cancellationToken);

    public async Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
    {
        if (_writer is not null)
        {
            await _writer.FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        await inner.StartAsync(cancellationToken).ConfigureAwait(false);
        await (_script is null
            ? inner.SendFileAsync(path, offset, count, cancellationToken)
            : SendFileFallback.SendFileAsync(this, path, offset, count, cancellationToken)).ConfigureAwait(false);
    }

    public async Task CompleteAsync()
    {
        await FinishAsync().ConfigureAwait(false);
        await inner.CompleteAsync().ConfigureAwait(false);
    }

    /// <summary>Nothing more is coming. A page that has not shown by now where its head is gets the script at its end.</summary>
    public async Task FinishAsync()
    {
        if (_writer is not null)
        {
            await _writer.CompleteAsync().ConfigureAwait(false);
        }

        if (_script is { } script)
        {
            _script = null;
            await inner.Stream.WriteAsync((byte[])[.. _held, .. script]).ConfigureAwait(false);
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        LookAtFirst(buffer.Span);
        await inner.StartAsync(cancellationToken).ConfigureAwait(false);
        await inner.Stream.WriteAsync(Pass(buffer), cancellationToken).ConfigureAwait(false);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        LookAtFirst(buffer);

        // Starts the response, unless the server doesn't allow it like this.
        inner.Stream.Write([]);
        inner.Stream.Write(Pass(buffer.ToArray()).Span);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.Stream.FlushAsync(cancellationToken);

    public override void Flush() => inner.Stream.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private ReadOnlyMemory<byte> Pass(ReadOnlyMemory<byte> html)
    {
        if (_script is null)
        {
            return html;
        }

        html = _held.Length == 0 ? html : (byte[])[.. _held, .. html.Span];
        var before = _place.Read(html.Span);
        if (!_place.IsFound)
        {
            _held = html[before..].ToArray();
            return html[..before];
        }

        // In one piece, as it came: each write may become a packet.
        ReadOnlyMemory<byte> page = (byte[])[.. html[..before].Span, .. _script, .. html[before..].Span];
        _script = null;
        return page;
    }

    private void LookAtFirst(ReadOnlySpan<byte> buffer) => HasWideLetters |= buffer is [0xFE, 0xFF, ..] or [0xFF, 0xFE, ..];
}
