using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace ResilientHosting.Aborts;

/// <summary>
/// What a connection receives, with its end noted. It can hold an orderly end back while there is something the reader has not
/// looked at: a server that learns of the end drops the unread rest, although all of it has arrived. Nothing is copied.
/// </summary>
/// <param name="transport">The connection's own reader.</param>
/// <param name="holdsEnd">Whether the end is told only when the reader needs more than there is.</param>
/// <param name="onEnd">Told once, with the failure that ended the stream if it was not orderly, before the reader learns of it.</param>
internal sealed class ObservedTransportReader(PipeReader transport, bool holdsEnd, Action<Exception?> onEnd) : PipeReader
{
    private ReadOnlySequence<byte> _buffer;

    // How much of what is still unconsumed the reader has looked at, and found to be too little.
    private long _examined;
    private int _ended;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            var read = transport.ReadAsync(cancellationToken);
            return read.IsCompletedSuccessfully ? new(Received(read.Result)) : ReceiveAsync(read);
        }
        catch (Exception exception) when (Failed(exception))
        {
            throw;
        }
    }

    public override bool TryRead(out ReadResult result)
    {
        try
        {
            if (!transport.TryRead(out result))
            {
                return false;
            }

            result = Received(result);
            return true;
        }
        catch (Exception exception) when (Failed(exception))
        {
            throw;
        }
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (holdsEnd)
        {
            // Counted before the transport takes the memory back.
            _examined = consumed.Equals(examined) ? 0 : _buffer.Slice(consumed, examined).Length;
            _buffer = default;
        }

        transport.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => transport.CancelPendingRead();

    public override void Complete(Exception? exception = null) => transport.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => transport.CompleteAsync(exception);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> ReceiveAsync(ValueTask<ReadResult> read)
    {
        try
        {
            return Received(await read.ConfigureAwait(false));
        }
        catch (Exception exception) when (Failed(exception))
        {
            throw;
        }
    }

    private ReadResult Received(in ReadResult result)
    {
        if (holdsEnd)
        {
            _buffer = result.Buffer;
        }

        if (!result.IsCompleted)
        {
            return result;
        }

        if (holdsEnd && result.Buffer.Length > _examined)
        {
            return new ReadResult(result.Buffer, result.IsCanceled, isCompleted: false);
        }

        End(failure: null);
        return result;
    }

    /// <summary>Always <see langword="false"/>: the exception goes on as it is.</summary>
    private bool Failed(Exception exception)
    {
        if (exception is IOException or Microsoft.AspNetCore.Connections.ConnectionAbortedException)
        {
            End(exception);
        }

        return false;
    }

    private void End(Exception? failure)
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
        {
            onEnd(failure);
        }
    }
}
