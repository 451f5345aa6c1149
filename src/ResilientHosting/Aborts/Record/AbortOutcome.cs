namespace ResilientHosting.Aborts;

/// <summary>How the work of an aborted request ended.</summary>
internal enum AbortOutcome
{
    /// <summary>The handler finished although its client had left.</summary>
    Completed,

    /// <summary>The handler stopped because it was told to.</summary>
    Cancelled,

    /// <summary>A completing policy's time ran out.</summary>
    Expired,

    /// <summary>The work of a completing policy ran into the limit for all of them.</summary>
    Capped,

    /// <summary>The work of a completing policy was cancelled at once: too much went on already.</summary>
    Overflow,

    /// <summary>The work of a completing policy did not end before the host had to.</summary>
    Shutdown,

    /// <summary>The handler failed for a reason of its own.</summary>
    Failed,

    /// <summary>The handler never ran: the client had left before.</summary>
    Dropped,
}
