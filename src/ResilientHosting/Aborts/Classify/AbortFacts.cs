namespace ResilientHosting.Aborts;

/// <summary>What is known about a request at the moment an exception leaves its handler.</summary>
internal readonly record struct AbortFacts
{
    /// <summary>The exceptions that reads of the request body failed with because the client had left.</summary>
    public required IReadOnlyList<Exception> BodyFailures { get; init; }

    /// <summary>The token the handler was given: the server's, or the policy's under a completing policy.</summary>
    public required CancellationToken WorkToken { get; init; }

    /// <summary>The token that fires at the abort itself; equal to <see cref="WorkToken"/> if nobody asked for it.</summary>
    public required CancellationToken AbortToken { get; init; }

    /// <summary>When <see cref="WorkToken"/> fired, or <see langword="null"/>.</summary>
    public required DateTimeOffset? CancelledAt { get; init; }

    /// <summary>When the exception was first seen.</summary>
    public required DateTimeOffset ThrownAt { get; init; }

    /// <summary>The user's own additions to the provider types known here.</summary>
    public required Func<Exception, bool> IsRecognizedCancellation { get; init; }

    public bool ThrownAfterCancellation => CancelledAt <= ThrownAt;

    /// <summary>By identity: an equal-looking exception from another connection proves nothing.</summary>
    public bool IsBodyFailure(Exception exception)
    {
        foreach (var failure in BodyFailures)
        {
            if (ReferenceEquals(failure, exception))
            {
                return true;
            }
        }

        return false;
    }
}
