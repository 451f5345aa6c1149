namespace ResilientHosting.Aborts;

/// <summary>How the work of an aborted request ended.</summary>
internal enum AbortOutcome
{
    /// <summary>The handler finished although its client had left.</summary>
    Completed,

    /// <summary>The handler stopped because it was told to.</summary>
    Cancelled,

    /// <summary>A completing policy's time, or the host's, ran out.</summary>
    Expired,

    /// <summary>The handler failed for a reason of its own.</summary>
    Failed,

    /// <summary>The handler never ran: the client had left before.</summary>
    Dropped,
}
