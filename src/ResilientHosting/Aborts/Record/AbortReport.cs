namespace ResilientHosting.Aborts;

/// <summary>An aborted request that has ended: the value that is written down.</summary>
/// <param name="Abort">What was found.</param>
/// <param name="Policy">What the endpoint had asked for.</param>
/// <param name="Outcome">What became of the work.</param>
/// <param name="Exception">What the work ended with, if it was an exception.</param>
/// <param name="BodyBytesRead">How much of its body was read; <see langword="null"/> if there is none or nobody has counted.</param>
/// <param name="WasOrphan">Whether the work ran on after its client had left.</param>
internal sealed record AbortReport(
    ClientAbort Abort, ClientAbortPolicy Policy, AbortOutcome Outcome, Exception? Exception, long? BodyBytesRead, bool WasOrphan);
