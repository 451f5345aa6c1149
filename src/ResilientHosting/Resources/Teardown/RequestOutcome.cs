using Microsoft.AspNetCore.Diagnostics;
using ResilientHosting.Aborts;

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
        var handled = context.Features.Find<IExceptionHandlerFeature>()?.Error;
        var kind = CutOff(context, escaped, hostStopping) ?? (escaped, handled) switch
        {
            (not null, _) => ScopeOutcomeKind.Faulted,
            (null, not null) => ScopeOutcomeKind.ExceptionHandled,
            _ => ScopeOutcomeKind.Succeeded,
        };

        var started = context.Response.HasStarted;
        var status = escaped is null || started ? context.Response.StatusCode : StatusOf(escaped);
        return ScopeOutcome.Of(kind, escaped ?? handled, status, started);
    }

    /// <summary>While the pipeline is running: a resource is given back before its end.</summary>
    public static ScopeOutcome SoFar(HttpContext context, Exception? exception, bool hostStopping)
    {
        var soFar = Resolve(context, escaped: null, hostStopping);
        return exception is null || soFar.Kind is ScopeOutcomeKind.Aborted or ScopeOutcomeKind.HostStopping
            ? soFar
            : soFar with { Kind = ScopeOutcomeKind.Faulted, Exception = exception };
    }

    /// <summary>How the work was cut off; <see langword="null"/> if it was not, even where its client has left.</summary>
    private static ScopeOutcomeKind? CutOff(HttpContext context, Exception? escaped, bool hostStopping)
    {
        if (context.Features.Find<IClientAbortFeature>() is not { } abort)
        {
            return !context.RequestAborted.IsCancellationRequested ? null
                : hostStopping ? ScopeOutcomeKind.HostStopping
                : ScopeOutcomeKind.Aborted;
        }

        // Out here RequestAborted is the server's and says no more than that the client has gone. The feature knows whether that
        // reached the work: what a completing policy let finish has succeeded, and is to be committed.
        return abort switch
        {
            { IsWorkCancelled: false } => null,
            { Cause: ClientAbortCause.HostShutdown } => ScopeOutcomeKind.HostStopping,
            { Cause: ClientAbortCause.Application or ClientAbortCause.RequestTimeout } when escaped is not null => ScopeOutcomeKind.Faulted,

            // The client is still there. What it has been answered counts, not that the answer took too long.
            { Cause: ClientAbortCause.RequestTimeout } when context.Response.StatusCode < StatusCodes.Status500InternalServerError => null,
            _ => ScopeOutcomeKind.Aborted,
        };
    }

    /// <summary>What the server is going to answer.</summary>
    private static int StatusOf(Exception escaped) =>
        escaped is BadHttpRequestException badRequest ? badRequest.StatusCode : StatusCodes.Status500InternalServerError;
}
