using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace ResilientHosting.Aborts;

/// <summary>The server's own body reader, with its failures witnessed. Nothing is copied.</summary>
internal sealed class ObservedBodyReader(PipeReader server, ObservedRequestBody body) : PipeReader
{
    // How far the application has looked ahead of what it has consumed, if it has.
    private SequencePosition? _lookahead;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        body.ReadBegins();
        ValueTask<ReadResult> read;
        try
        {
            read = server.ReadAsync(cancellationToken);
        }
        catch (Exception exception) when (body.Witness(exception, cancellationToken))
        {
            read = ValueTask.FromException<ReadResult>(exception);
        }

        return read.IsCompletedSuccessfully ? new(Received(read.Result)) : ObserveAsync(read, cancellationToken);
    }

    public override bool TryRead(out ReadResult result)
    {
        body.ReadBegins();
        try
        {
            if (!server.TryRead(out result))
            {
                return false;
            }

            Received(result);
            return true;
        }
        catch (Exception exception) when (body.Witness(exception))
        {
            // A synchronous reader cannot wait here; the middleware settles it when the exception arrives there.
            EndFailedRead();
            throw;
        }
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        _lookahead = consumed.Equals(examined) ? null : examined;
        try
        {
            server.AdvanceTo(consumed, examined);
        }
        catch (Exception exception) when (body.Witness(exception))
        {
            // Kestrel reports a reset HTTP/2 stream here too, to who has read before the reset.
            throw;
        }
    }

    public override void CancelPendingRead() => server.CancelPendingRead();

    public override void Complete(Exception? exception = null) => server.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => server.CompleteAsync(exception);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> ObserveAsync(ValueTask<ReadResult> read, CancellationToken cancellationToken)
    {
        try
        {
            return Received(await body.ObserveAsync(read, cancellationToken).ConfigureAwait(false));
        }
        catch (BadHttpRequestException)
        {
            EndFailedRead();
            throw;
        }
    }

    private ReadResult Received(ReadResult result)
    {
        if (result.IsCompleted)
        {
            body.EndReached();
        }

        return result;
    }

    /// <summary>
    /// After a look-ahead Kestrel leaves the read of a truncated body open. If nobody closes it, the connection ends with the
    /// Warning "Reading is already in progress", and what was looked at would be parsed as the connection's next request.
    /// </summary>
    private void EndFailedRead()
    {
        if (_lookahead is not { } examined)
        {
            return;
        }

        _lookahead = null;
        try
        {
            server.AdvanceTo(examined, examined);
        }
        catch (InvalidOperationException)
        {
            // Another server, or a later Kestrel, has closed the read itself, which is all that is wanted.
        }
    }
}
