using Microsoft.AspNetCore.OutputCaching;
using Microsoft.AspNetCore.ResponseCaching;

namespace ResilientHosting.Aborts;

/// <summary>
/// A handler as those around it must see it: a cache that stores its response or hands it to requests that wait for it, and an
/// exception handler that has no say any more. What one client's leaving does to it must not reach the others.
/// </summary>
internal sealed class GuardedHandler(Endpoint endpoint)
{
    private readonly RequestDelegate _handler = endpoint.RequestDelegate!;

    public Endpoint Endpoint => endpoint;

    public Task InvokeAsync(HttpContext context)
    {
        var features = context.Features;
        var fill = features.Find<IOutputCacheFeature>()?.Context is { EnableOutputCaching: true, AllowCacheStorage: true } output ? output : null;
        var isInsideResponseCaching = features.Find<IResponseCachingFeature>() is not null;
        if (features.Find<IClientAbortFeature>() is not AbortMonitor { IsWatching: true } monitor)
        {
            return _handler(context);
        }

        var work = fill is null ? _handler(context) : FillAsync(context, fill, monitor);
        work = isInsideResponseCaching ? DiscardIfCutAsync(work, monitor) : work;
        return monitor.IsUpgradable ? NormalizeAsync(work, context, monitor) : work;
    }

    /// <summary>Produces a response that belongs to everybody who waits for it, and is stored only if it is whole.</summary>
    private async Task FillAsync(HttpContext context, OutputCacheContext fill, AbortMonitor monitor)
    {
        monitor.FinishForOthers(context);
        try
        {
            await _handler(context).ConfigureAwait(false);
        }
        catch (Exception exception) when (!monitor.TimedOut)
        {
            if (!await monitor.IsCausedByAbortAsync(exception).ConfigureAwait(false))
            {
                throw;
            }

            // Thrown on, it would be the failure of each request that waits. This one's connection is gone: nobody needs it here.
            monitor.WasCut();
        }

        if (context.RequestAborted.IsCancellationRequested || monitor.IsWorkCancelled)
        {
            // Without an entry those who wait produce the response themselves.
            fill.AllowCacheStorage = false;
        }
    }

    /// <summary>
    /// An exception handler between the tolerance and this handler asks nobody once a response has started, as a WebSocket's always
    /// has; it knows an aborted request by this type alone.
    /// </summary>
    private static async Task NormalizeAsync(Task work, HttpContext context, AbortMonitor monitor)
    {
        try
        {
            await work.ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            if (!await monitor.IsCausedByAbortAsync(exception).ConfigureAwait(false))
            {
                throw;
            }

            throw new OperationCanceledException("The request was aborted.", exception, context.RequestAborted);
        }
    }

    /// <summary>The older cache has no waiting requests and no switch: it stores whatever does not end in an exception.</summary>
    private static async Task DiscardIfCutAsync(Task work, AbortMonitor monitor)
    {
        await work.ConfigureAwait(false);
        if (monitor is { IsWorkCancelled: true, TimedOut: false })
        {
            throw new OperationCanceledException("The request was aborted, so its response may be incomplete.", monitor.ServerToken);
        }
    }
}
