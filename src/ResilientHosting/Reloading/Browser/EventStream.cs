using System.Text;
using Microsoft.AspNetCore.Connections.Features;

namespace ResilientHosting.Reloading;

/// <summary>
/// Tells a page of every change, as server-sent events. Once another generation serves it ends, because the connection belongs to the
/// retired server; the page comes back by itself.
/// </summary>
internal sealed class EventStream(ReloadStatus status, TimeProvider clock, CancellationToken end)
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    /// <param name="context">The request.</param>
    /// <param name="acceptedBy">The generation whose server the connection belongs to.</param>
    /// <param name="latestFile">The last change to a static file that the page knows of; null if it doesn't ask for these.</param>
    public async Task WriteAsync(HttpContext context, Generation acceptedBy, int? latestFile)
    {
        context.Response.ContentType = "text/event-stream";

        // What a proxy keeps back until there is more of it comes too late.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        if (!HttpProtocol.IsHttp2(context.Request.Protocol))
        {
            // Whoever comes back after a swap has to come to the new server.
            context.Response.Headers.Connection = "close";
        }

        using var page = latestFile is null ? null : status.Pages.Add();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, end);
        await context.Response.WriteAsync("retry: 200\n\n", either.Token).ConfigureAwait(false);
        var told = -1L;
        Task<ReloadMoment>? next = null;
        while (true)
        {
            next ??= status.WaitForAsync(moment => moment.Revision > told, either.Token);
            try
            {
                var moment = await next.WaitAsync(Heartbeat, clock, either.Token).ConfigureAwait(false);
                next = null;
                if (latestFile is { } latest && (told < 0 || moment.LatestFile != latest))
                {
                    latestFile = moment.LatestFile;
                    await WriteEventAsync("event: files", StatusJson.WriteFiles(moment, latest)).ConfigureAwait(false);
                }

                told = moment.Revision;
                await WriteEventAsync($"id: {told}\nevent: status", StatusJson.Write(moment)).ConfigureAwait(false);
                if (moment.Generation != acceptedBy.Number && moment.Phase == ReloadPhase.Watching)
                {
                    context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
                    return;
                }
            }
            catch (TimeoutException)
            {
                // A client that is gone is found out by writing to it.
                await context.Response.WriteAsync(": still here\n\n", either.Token).ConfigureAwait(false);
            }

            await context.Response.Body.FlushAsync(either.Token).ConfigureAwait(false);
        }

        Task WriteEventAsync(string name, byte[] json) => context.Response.WriteAsync($"{name}\ndata: {Encoding.UTF8.GetString(json)}\n\n", either.Token);
    }
}
