using System.IO.Pipelines;

namespace ResilientHosting.Aborts;

/// <summary>The server's own body reader, with its failures witnessed. Nothing is copied.</summary>
internal sealed class ObservedBodyReader(PipeReader server, ObservedRequestBody body) : PipeReader
{
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ValueTask<ReadResult> read;
        try
        {
            read = server.ReadAsync(cancellationToken);
        }
        catch (Exception exception) when (body.Witness(exception, cancellationToken))
        {
            read = ValueTask.FromException<ReadResult>(exception);
        }

        return read.IsCompletedSuccessfully ? read : body.ObserveAsync(read, cancellationToken);
    }

    public override bool TryRead(out ReadResult result)
    {
        try
        {
            return server.TryRead(out result);
        }
        catch (Exception exception) when (body.Witness(exception))
        {
            // A synchronous reader cannot wait here; the middleware settles it when the exception arrives there.
            throw;
        }
    }

    public override void AdvanceTo(SequencePosition consumed) => server.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => server.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => server.CancelPendingRead();

    public override void Complete(Exception? exception = null) => server.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => server.CompleteAsync(exception);
}
