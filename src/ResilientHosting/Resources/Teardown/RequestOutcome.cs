using Microsoft.AspNetCore.Diagnostics;

namespace ResilientHosting.Resources;

/// <summary>Reads from a request how it ended.</summary>
internal static class RequestOutcome
{
    /// <summary>When the pipeline has ended.</summary>
    /// <param name="context">The request.</param>
    /// <param name="escaped">The exception that left the pipeline.</param>
    /// <param name="hostStopping">Whether the host is stopping.</param>
    public static ScopeOutcome Resolve(HttpContext context, Exception? escaped, bool hostStopping)
    {
        var handled = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        var kind = (escaped, handled) switch
        {
            _ when IsAborted(context) => hostStopping ? ScopeOutcomeKind.HostStopping : ScopeOutcomeKind.Aborted,
            (not null, _) => ScopeOutcomeKind.Faulted,
            (null, not null) => ScopeOutcomeKind.ExceptionHandled,
            _ => ScopeOutcomeKind.Succeeded,
        };

        var started = context.Response.HasStarted;
        var status = escaped is null || started ? context.Response.StatusCode : StatusOf(escaped);
        return new ScopeOutcome(kind, escaped ?? handled, status, started);
    }

    /// <summary>While the pipeline is running: a resource is given back before its end.</summary>
    public static ScopeOutcome SoFar(HttpContext context, Exception? exception, bool hostStopping)
    {
        var soFar = Resolve(context, escaped: null, hostStopping);
        return exception is null || soFar.Kind is ScopeOutcomeKind.Aborted or ScopeOutcomeKind.HostStopping
            ? soFar
            : soFar with { Kind = ScopeOutcomeKind.Faulted, Exception = exception };
    }

    private static bool IsAborted(HttpContext context) => context.RequestAborted.IsCancellationRequested;

    /// <summary>What the server is going to answer.</summary>
    private static int StatusOf(Exception escaped) =>
        escaped is BadHttpRequestException badRequest ? badRequest.StatusCode : StatusCodes.Status500InternalServerError;
}
