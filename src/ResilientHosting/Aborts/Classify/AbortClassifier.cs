namespace ResilientHosting.Aborts;

/// <summary>
/// Tells an exception that an abort caused from a genuine failure. It asks for the cause first and for the time second; it never
/// reads a message (they are translated), and never takes a cancelled token alone for proof (a bug may strike after the client
/// has left).
/// </summary>
internal static class AbortClassifier
{
    public static bool IsCausedByAbort(Exception exception, in AbortFacts facts)
    {
        if (facts.IsBodyFailure(exception))
        {
            return true;
        }

        return exception switch
        {
            // One genuine failure among several must not be hidden by the cancelled rest.
            AggregateException aggregate => AreAllCausedByAbort(aggregate, facts),

            // HttpClient reports its own time-out as a cancellation with a TimeoutException inside.
            TimeoutException => false,
            OperationCanceledException cancelled => IsCausedByAbort(cancelled, facts),
            _ when facts.ThrownAfterCancellation && IsProviderCancellation(exception, facts) => true,

            // What wraps a cancellation (DbUpdateException, an application's own type) means what it wraps.
            { InnerException: { } inner } => IsCausedByAbort(inner, facts),
            _ => false,
        };
    }

    private static bool IsCausedByAbort(OperationCanceledException cancelled, in AbortFacts facts)
    {
        for (var inner = cancelled.InnerException; inner is not null; inner = inner.InnerException)
        {
            if (inner is TimeoutException)
            {
                return false;
            }

            if (facts.IsBodyFailure(inner))
            {
                return true;
            }
        }

        var token = cancelled.CancellationToken;
        var isOurs = token.IsCancellationRequested && (token == facts.WorkToken || token == facts.AbortToken);
        return isOurs || facts.ThrownAfterCancellation;
    }

    private static bool AreAllCausedByAbort(AggregateException aggregate, in AbortFacts facts)
    {
        foreach (var inner in aggregate.InnerExceptions)
        {
            if (!IsCausedByAbort(inner, facts))
            {
                return false;
            }
        }

        return aggregate.InnerExceptions.Count > 0;
    }

    private static bool IsProviderCancellation(Exception exception, in AbortFacts facts) =>
        ProviderCancellation.Matches(exception) || facts.IsRecognizedCancellation(exception);
}
