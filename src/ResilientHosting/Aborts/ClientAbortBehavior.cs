namespace ResilientHosting.Aborts;

/// <summary>What happens to the work of a request whose client has left.</summary>
public enum ClientAbortBehavior
{
    /// <summary>The work is cancelled at once.</summary>
    Cancel = 0,

    /// <summary>The work goes on for a limited time, and is cancelled then.</summary>
    CompleteWithin,

    /// <summary>The work goes on until it ends. Only a request time-out or the host's shutdown cancels it.</summary>
    RunToCompletion,
}
