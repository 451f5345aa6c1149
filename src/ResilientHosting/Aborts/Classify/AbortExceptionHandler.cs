using Microsoft.AspNetCore.Diagnostics;

namespace ResilientHosting.Aborts;

/// <summary>
/// Answers for the middleware where <c>UseExceptionHandler</c> sits inside it and so sees exceptions first. An exception that an
/// abort caused counts as handled there, and the exception handler reports nothing.
/// </summary>
internal sealed class AbortExceptionHandler : IExceptionHandler
{
    public ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken) =>
        httpContext.Features.Get<IClientAbortFeature>() is AbortMonitor { IsWatching: true } monitor
            ? TryHandleAsync(monitor, exception)
            : ValueTask.FromResult(false);

    private static async ValueTask<bool> TryHandleAsync(AbortMonitor monitor, Exception exception)
    {
        if (!await monitor.IsCausedByAbortAsync(exception).ConfigureAwait(false))
        {
            return false;
        }

        monitor.CorrectStatus();
        return true;
    }
}
