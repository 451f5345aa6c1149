using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;

namespace ResilientHosting.Aborts;

/// <summary>
/// Writes an abort down: one Debug line, one count, one tag on the request's duration and an event on its trace; of a sample of each
/// route all there is to know. The access line and the trace's status stay the server's.
/// </summary>
internal sealed class AbortRecorder(
    ILogger logger, ClientAbortMetrics metrics, OrphanRecorder orphans, TimeProvider clock, int detailSampling)
{
    /// <summary>What stands for the route of a request without one.</summary>
    public const string NoRoute = "(no route)";

    private const string AbortedTag = "client.aborted";

    private readonly DetailSampling _sampling = new(detailSampling);

    public void Record(HttpContext context, AbortReport report)
    {
        var route = RouteOf(context);
        var elapsed = clock.GetUtcNow() - report.Abort.At;
        metrics.Aborted(report, elapsed, route, context.Request.Protocol);
        if (report.Abort.IsByClient)
        {
            context.Features.Get<IHttpMetricsTagsFeature>()?.Tags.Add(new KeyValuePair<string, object?>(AbortedTag, true));
            Trace(context.Features.Get<IHttpActivityFeature>()?.Activity, report);
            if (!ReferenceEquals(report.Policy, ClientAbortPolicy.CacheFill))
            {
                orphans.Cut(context.Request.Method, route ?? NoRoute, elapsed, report.Outcome);
            }
        }

        Log(context, route ?? NoRoute, report, Math.Round(elapsed.TotalMilliseconds, 1));
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

        ClientAbortLog.FailureAfterAbort(logger, context.Request.Method, RouteOf(context) ?? NoRoute, exception);
        context.Features.Get<IHttpMetricsTagsFeature>()?.Tags.Add(
            new KeyValuePair<string, object?>("error.type", exception.GetType().FullName));
    }

    public void RecordRefusal(HttpContext context) =>
        ClientAbortLog.RequestRefused(logger, context.Request.Method, RouteOf(context) ?? NoRoute);

    public void RecordTooLarge(HttpContext context, long limit) =>
        ClientAbortLog.SecuredBodyTooLarge(logger, context.Request.Method, RouteOf(context) ?? NoRoute, limit);

    public static string? RouteOf(Endpoint? endpoint) => endpoint?.Metadata.GetMetadata<IRouteDiagnosticsMetadata>()?.Route;

    // An exception handler inside the middleware has cleared the endpoint, and keeps the original.
    private static string? RouteOf(HttpContext context) =>
        RouteOf(context.GetEndpoint() ?? context.Features.Get<IExceptionHandlerFeature>()?.Endpoint);

    /// <summary>The status stays unset: for a server, a client that leaves is no error.</summary>
    private static void Trace(Activity? activity, AbortReport report)
    {
        if (activity is not { IsAllDataRequested: true })
        {
            return;
        }

        activity.SetTag(AbortedTag, true);
        activity.AddEvent(new ActivityEvent(
            AbortedTag,
            report.Abort.At,
            new ActivityTagsCollection
            {
                ["cause"] = ClientAbortMetrics.SnakeCase(report.Abort.Cause),
                ["phase"] = ClientAbortMetrics.SnakeCase(report.Abort.Phase),
                ["policy"] = ClientAbortMetrics.SnakeCase(report.Policy.Behavior),
                ["outcome"] = ClientAbortMetrics.SnakeCase(report.Outcome),
            }));
    }

    private void Log(HttpContext context, string route, AbortReport report, double elapsedMs)
    {
        var (abort, policy, outcome) = (report.Abort, report.Policy.Behavior, report.Outcome);
        var method = context.Request.Method;
        ClientAbortLog.ClientAborted(logger, method, route, abort.Phase, abort.Cause, outcome, elapsedMs, policy);

        // Counted at any log level: the level may be raised later.
        if (_sampling.Picks(route, out var number) && logger.IsEnabled(LogLevel.Information))
        {
            var traceId = context.Features.Get<IHttpActivityFeature>()?.Activity.TraceId.ToHexString() ?? context.TraceIdentifier;
            ClientAbortLog.ClientAbortSampled(
                logger,
                number,
                route,
                _sampling.Every,
                method,
                context.Request.Protocol,
                abort.Phase,
                abort.Cause,
                outcome,
                elapsedMs,
                policy,
                report.Exception?.GetType().Name ?? "none",
                report.BodyBytesRead?.ToString(CultureInfo.InvariantCulture) ?? "not counted",
                traceId,

                // A stack for something normal is wanted by those who look for it.
                logger.IsEnabled(LogLevel.Debug) ? report.Exception : null);
        }
    }
}
