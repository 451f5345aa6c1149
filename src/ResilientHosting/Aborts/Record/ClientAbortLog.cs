namespace ResilientHosting.Aborts;

/// <summary>The log lines of the feature. Event names are documented, and tests assert them.</summary>
internal static partial class ClientAbortLog
{
    [LoggerMessage(
        EventIds.Aborts + 1,
        LogLevel.Debug,
        "{Method} {Route} was aborted in phase {Phase} by {Cause}; its handler {Outcome} {ElapsedMs} ms later under policy {Policy}.",
        EventName = "ClientAborted")]
    public static partial void ClientAborted(
        ILogger logger,
        string method,
        string route,
        ClientAbortPhase phase,
        ClientAbortCause cause,
        AbortOutcome outcome,
        double elapsedMs,
        ClientAbortBehavior policy);

    [LoggerMessage(
        EventIds.Aborts + 2,
        LogLevel.Error,
        "{Method} {Route} failed for a reason of its own after the request had been aborted. The failure needs the same attention "
        + "as any other, although nobody waited for the answer.",
        EventName = "FailureAfterClientAbort")]
    public static partial void FailureAfterAbort(ILogger logger, string method, string route, Exception exception);

    [LoggerMessage(
        EventIds.Aborts + 3,
        LogLevel.Error,
        "A callback registered on a request's cancellation token threw. The other callbacks have run; find the callback in the stack.",
        EventName = "CancellationCallbackFailed")]
    public static partial void CancellationCallbackFailed(ILogger logger, Exception exception);

    [LoggerMessage(
        EventIds.Aborts + 4,
        LogLevel.Debug,
        "{Method} {Route} was refused with 413: its body is larger than the {Limit} bytes a completing endpoint reads in advance.",
        EventName = "SecuredBodyTooLarge")]
    public static partial void SecuredBodyTooLarge(ILogger logger, string method, string route, long limit);

    [LoggerMessage(
        EventIds.Aborts + 5,
        LogLevel.Warning,
        "A rule given to RecognizeCancellation threw, so the exception it was asked about counts as a genuine failure. Make the rule "
        + "answer false instead of throwing.",
        EventName = "CancellationRuleFailed")]
    public static partial void CancellationRuleFailed(ILogger logger, Exception exception);
}
