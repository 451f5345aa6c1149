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

    [LoggerMessage(
        EventIds.Aborts + 6,
        LogLevel.Warning,
        "{Method} {Route} was to go on without its client, but was cut {AgeSeconds} s after the client had left: {Reason}.",
        EventName = "OrphanCut")]
    public static partial void OrphanCut(ILogger logger, string method, string route, double ageSeconds, string reason);

    [LoggerMessage(
        EventIds.Aborts + 7,
        LogLevel.Warning,
        "{Method} {Route} still runs {AgeSeconds} s after its client has left, although its token has fired. Pass the token "
        + "(HttpContext.RequestAborted, or the handler's CancellationToken) to whatever it waits for.",
        EventName = "OrphanDoesNotStop")]
    public static partial void OrphanDoesNotStop(ILogger logger, string method, string route, double ageSeconds);

    [LoggerMessage(
        EventIds.Aborts + 8,
        LogLevel.Warning,
        "{Method} {Route} still ran when the host had stopped, {AgeSeconds} s after its client had left. What it had not finished is "
        + "lost; what it does from now on may fail, because the host's services are gone.",
        EventName = "OrphanLeftBehind")]
    public static partial void OrphanLeftBehind(ILogger logger, string method, string route, double ageSeconds);

    [LoggerMessage(
        EventIds.Aborts + 9,
        LogLevel.Debug,
        "{Method} {Route} was refused with 503: as many requests as may run without their client do already.",
        EventName = "RequestRefused")]
    public static partial void RequestRefused(ILogger logger, string method, string route);

    [LoggerMessage(
        EventIds.Aborts + 10,
        LogLevel.Information,
        "Abort {Number} of route {Route} since the start, as a sample (one in {Sampling}): {Method} over {Protocol}, in phase {Phase}, by "
        + "{Cause}; its handler {Outcome} {ElapsedMs} ms later under policy {Policy}. Exception: {ExceptionType}. "
        + "Body bytes read: {BodyBytes}. Trace {TraceId}.",
        EventName = "ClientAbortSampled")]
    public static partial void ClientAbortSampled(
        ILogger logger,
        long number,
        string route,
        int sampling,
        string method,
        string protocol,
        ClientAbortPhase phase,
        ClientAbortCause cause,
        AbortOutcome outcome,
        double elapsedMs,
        ClientAbortBehavior policy,
        string exceptionType,
        string bodyBytes,
        string traceId,
        Exception? exception);

    [LoggerMessage(
        EventIds.Aborts + 20,
        LogLevel.Debug,
        "{Hub}.{Method} was cancelled because its connection had ended.",
        EventName = "HubMethodCancelled")]
    public static partial void HubMethodCancelled(ILogger logger, string hub, string method);
}
