using System.Globalization;
using System.Net.Mime;
using System.Text;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Reloading;

/// <summary>
/// What the reloader itself answers, below <c>/_dev</c>: never by a generation, so that it answers while none runs, and nothing that the
/// application does to its requests is in the way.
/// </summary>
internal sealed class DevEndpoints(
    ReloadStatus status, IDevReloader reloader, Func<LiveData> observe, Func<DevReloaderOptions> options, TimeProvider clock, CancellationToken end)
{
    public const string Path = "/_dev";

    private const int LongestWait = 600;
    private const int UsualWait = 30;

    private readonly DevAccess _access = new();
    private readonly EventStream _events = new(status, clock, end);

    /// <summary>Gets the paths below which there may be another <c>/_dev</c>.</summary>
    public PathBases PathBases { get; } = new();

    /// <summary>Whether a request is for the reloader rather than for the application.</summary>
    public bool Owns(IFeatureCollection features) => PathBases.BaseOf(features.GetRequiredFeature<IHttpRequestFeature>().Path) is not null;

    /// <param name="context">The request.</param>
    /// <param name="acceptedBy">The generation whose server the connection belongs to.</param>
    public async Task HandleAsync(HttpContext context, Generation acceptedBy)
    {
        Protect(context.Response.Headers);
        if (DevAccess.WhyMayNotRead(context, options()) is { } refusal)
        {
            await WriteAsync(context, StatusCodes.Status403Forbidden, MediaTypeNames.Text.Plain, Encoding.UTF8.GetBytes(refusal)).ConfigureAwait(false);
            return;
        }

        if (PathBases.BaseOf(context.Request.Path.Value!) is { Length: > 0 } pathBase)
        {
            context.Request.PathBase += pathBase;
            context.Request.Path = context.Request.Path.Value![pathBase.Length..];
        }

        try
        {
            await ((context.Request.Method, context.Request.Path.Value![Path.Length..]) switch
            {
                ("GET", "" or "/" or "/page.html") => WritePageAsync(context),
                ("GET", "/status") => WriteStatusAsync(context, StatusCodes.Status200OK, status.Now, observe()),
                ("GET", "/wait") => WaitAsync(context),
                ("GET", "/events") => StreamAsync(context, acceptedBy),
                ("POST", "/reload") => SteerAsync(context, () => reloader.RequestReload("asked for over HTTP")),
                ("POST", "/pause") => SteerAsync(context, reloader.Pause),
                ("POST", "/resume") => SteerAsync(context, reloader.Resume),
                (_, "" or "/" or "/status" or "/wait" or "/events") => NotAllowedAsync(context, "GET"),
                (_, "/reload" or "/pause" or "/resume") => NotAllowedAsync(context, "POST"),
                ("GET", var path) when DevAssets.Find(path) is { } asset => WriteAsync(context, StatusCodes.Status200OK, asset.ContentType, asset.Content),
                _ => WriteAsync(context, StatusCodes.Status404NotFound, MediaTypeNames.Text.Plain, "The reloader has the page /_dev, and for scripts /_dev/status, /_dev/wait?after=N, /_dev/events, and POST /_dev/reload, /_dev/pause, /_dev/resume."u8.ToArray()),
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested || end.IsCancellationRequested)
        {
            // The client has left, or the process ends.
        }
    }

    /// <summary>
    /// Answers when a later generation serves (200), when an edit that is dealt with meanwhile fails (409), or when the time is over (408).
    /// </summary>
    private async Task WaitAsync(HttpContext context)
    {
        if (!TryRead(context, "after", status.Now.Generation, 0, int.MaxValue, out var after)
            || !TryRead(context, "attempt", status.Now.Attempt, 0, int.MaxValue, out var attempt)
            || !TryRead(context, "timeout", UsualWait, 1, LongestWait, out var seconds))
        {
            await WriteAsync(
                context, StatusCodes.Status400BadRequest, MediaTypeNames.Text.Plain, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
                    $"GET {Path}/wait?after=<generation>&attempt=<attempt>&timeout=<seconds, 1 to {LongestWait}>: whole numbers, all optional."))).ConfigureAwait(false);
            return;
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds), clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted, end);
        try
        {
            var moment = await status.WaitForAsync(
                moment => moment.Generation > after && moment.Phase == ReloadPhase.Watching || HasFailed(moment), either.Token).ConfigureAwait(false);
            await WriteStatusAsync(context, HasFailed(moment) ? StatusCodes.Status409Conflict : StatusCodes.Status200OK, moment).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            await WriteStatusAsync(context, StatusCodes.Status408RequestTimeout, status.Now).ConfigureAwait(false);
        }

        bool HasFailed(ReloadMoment moment) => moment.Failure is not null && moment.Attempt > attempt;
    }

    /// <summary>A page that says which static files it knows of is told of newer ones too.</summary>
    private Task StreamAsync(HttpContext context, Generation acceptedBy) =>
        TryRead(context, "files", status.Now.LatestFile, 0, int.MaxValue, out var latestFile)
            ? _events.WriteAsync(context, acceptedBy, context.Request.Query.ContainsKey("files") ? latestFile : null)
            : WriteAsync(
                context, StatusCodes.Status400BadRequest, MediaTypeNames.Text.Plain, Encoding.UTF8.GetBytes(
                    $"GET {Path}/events?files=<the \"latest\" of the event \"files\" before>: a whole number, or nothing for all to come."));

    private Task SteerAsync(HttpContext context, Action steer)
    {
        if (_access.WhyMayNotSteer(context) is { } refusal)
        {
            return WriteAsync(context, StatusCodes.Status403Forbidden, MediaTypeNames.Text.Plain, Encoding.UTF8.GetBytes(refusal));
        }

        steer();
        return WriteStatusAsync(context, StatusCodes.Status202Accepted, status.Now);
    }

    private Task WriteStatusAsync(HttpContext context, int statusCode, ReloadMoment moment, LiveData? live = null) =>
        WriteAsync(context, statusCode, MediaTypeNames.Application.Json, StatusJson.Write(moment, reloader.History, _access.Token, live));

    private static Task WritePageAsync(HttpContext context)
    {
        context.Response.Headers.ContentSecurityPolicy = DevPage.Instance.Policy;
        return WriteAsync(context, StatusCodes.Status200OK, "text/html; charset=utf-8", DevPage.Instance.Content);
    }

    /// <summary>Nothing of this is to be kept, guessed at, framed, or loaded by pages of others.</summary>
    private static void Protect(IHeaderDictionary headers)
    {
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }

    private static Task NotAllowedAsync(HttpContext context, string method)
    {
        context.Response.Headers.Allow = method;
        return WriteAsync(context, StatusCodes.Status405MethodNotAllowed, MediaTypeNames.Text.Plain, Encoding.UTF8.GetBytes($"Use {method}."));
    }

    private static async Task WriteAsync(HttpContext context, int statusCode, string contentType, byte[] content)
    {
        context.Response.StatusCode = statusCode;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = content.Length;
        await context.Response.Body.WriteAsync(content, context.RequestAborted).ConfigureAwait(false);
    }

    private static bool TryRead(HttpContext context, string name, int missing, int min, int max, out int value)
    {
        var text = context.Request.Query[name].ToString();
        value = missing;
        return text.Length == 0
            || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= min && value <= max);
    }
}
