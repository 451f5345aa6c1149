using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;

namespace ResilientHosting.Aborts;

/// <summary>
/// Writes an abort down: one Debug line, one count, one tag on the request's duration and on its trace. The access line and the
/// trace's status stay the server's.
/// </summary>
internal sealed class AbortRecorder(ILogger logger, ClientAbortMetrics metrics, TimeProvider clock)
{
    private const string AbortedTag = "client.aborted";

    public void Record(HttpContext context, ClientAbort abort, ClientAbortPolicy policy, AbortOutcome outcome)
    {
        var route = RouteOf(context);
        metrics.Aborted(abort, policy, outcome, route);
        if (abort.IsByClient)
        {
            context.Features.Get<IHttpMetricsTagsFeature>()?.Tags.Add(new KeyValuePair<string, object?>(AbortedTag, true));
            context.Features.Get<IHttpActivityFeature>()?.Activity.SetTag(AbortedTag, true);
        }

        if (logger.IsEnabled(LogLevel.Debug))
        {
            var elapsed = Math.Round((clock.GetUtcNow() - abort.At).TotalMilliseconds, 1);
            ClientAbortLog.ClientAborted(
                logger, context.Request.Method, route ?? "(no route)", abort.Phase, abort.Cause, outcome, elapsed, policy.Behavior);
        }
    }

    /// <summary>
    /// Reports a genuine failure that everybody outside would take for the abort, because of its type and the cancelled token.
    /// Other types are left to the application's exception handling, which reports them itself.
    /// </summary>
    public void RecordFailure(HttpContext context, Exception exception)
    {
        if (exception is BadHttpRequestException or not (OperationCanceledException or IOException))
        {
            return;
        }

        ClientAbortLog.FailureAfterAbort(logger, context.Request.Method, RouteOf(context) ?? "(no route)", exception);
        context.Features.Get<IHttpMetricsTagsFeature>()?.Tags.Add(
            new KeyValuePair<string, object?>("error.type", exception.GetType().FullName));
    }

    public void RecordRefusal(HttpContext context, long limit) =>
        ClientAbortLog.SecuredBodyTooLarge(logger, context.Request.Method, RouteOf(context) ?? "(no route)", limit);

    // An exception handler inside the middleware has cleared the endpoint, and keeps the original.
    private static string? RouteOf(HttpContext context) =>
        (context.GetEndpoint() ?? context.Features.Get<IExceptionHandlerFeature>()?.Endpoint)
            ?.Metadata.GetMetadata<IRouteDiagnosticsMetadata>()?.Route;
}
