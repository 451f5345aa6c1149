using System.Net.Mime;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace ResilientHosting.Reloading;

/// <summary>
/// Puts the reloader's script into pages, on their way from the application to the server: whatever the application's pipeline looks like,
/// and whichever generation it belongs to. A page that can't have it says why in a header.
/// </summary>
internal sealed class PageRefresh(PathBases pathBases, Func<DevReloaderOptions> options, ReloadConsole console)
{
    // Text in these is no ASCII with something more.
    private static readonly string[] WideCharsets = ["utf-16", "utf-32", "ucs-2", "iso-2022", "iso-10646"];

    private readonly HashSet<string> _said = [];

    /// <summary>Lets the application respond, with the script in the response if that is a page.</summary>
    /// <param name="features">The request.</param>
    /// <param name="generation">The generation that responds.</param>
    /// <param name="application">Responds.</param>
    public async Task RunAsync(IFeatureCollection features, Generation generation, Func<Task> application)
    {
        pathBases.LearnFrom(features);
        var page = Begin(features, generation);
        await application().ConfigureAwait(false);
        if (page is not null)
        {
            await page.FinishAsync().ConfigureAwait(false);
        }
    }

    private PageBody? Begin(IFeatureCollection features, Generation generation)
    {
        var request = features.GetRequiredFeature<IHttpRequestFeature>();
        if (!options().RefreshBrowser
            || !Navigation.Is(request)
            || DevAccess.WhyMayNotRead(new DefaultHttpContext(features), options()) is not null)
        {
            return null;
        }

        Navigation.AskForWholePage(request);
        var body = new PageBody(features.GetRequiredFeature<IHttpResponseBodyFeature>());
        features.Set<IHttpResponseBodyFeature>(body);

        // Called last, because the application's own callbacks are registered later: its headers are final by then.
        features.GetRequiredFeature<IHttpResponseFeature>().OnStarting(
            _ =>
            {
                Start(features, body, GenerationId.Of(generation.Number));
                return Task.CompletedTask;
            },
            this);
        return body;
    }

    private void Start(IFeatureCollection features, PageBody body, string generation)
    {
        var request = features.GetRequiredFeature<IHttpRequestFeature>();
        var response = features.GetRequiredFeature<IHttpResponseFeature>();
        if (!IsPage(response))
        {
            return;
        }

        var policy = new ContentPolicy(response.Headers.ContentSecurityPolicy, request.Scheme, request.Headers.Host.ToString());
        if ((WhyNot(response, body) ?? policy.WhyForbidden()) is { } reason)
        {
            response.Headers[DevReloaderHeaders.Refresh] = $"skipped; reason=\"{reason}\"";
            SayOnce(reason, request.Path);
            return;
        }

        var script = Script(DevPath(request), generation, policy.Nonce);
        response.Headers.ContentLength += script.Length;

        // These name the page without the script, and no piece of either fits the other.
        response.Headers.Remove(HeaderNames.ETag);
        response.Headers.Remove(HeaderNames.LastModified);
        response.Headers.Remove(HeaderNames.AcceptRanges);
        body.Insert(script);
    }

    private static bool IsPage(IHttpResponseFeature response) =>
        response.StatusCode is >= 200 and not (StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status206PartialContent or StatusCodes.Status304NotModified)
        && MediaTypeHeaderValue.TryParse(response.Headers.ContentType.ToString(), out var type)
        && type.MediaType.Equals(MediaTypeNames.Text.Html, StringComparison.OrdinalIgnoreCase)
        && response.Headers.ContentLength != 0
        && !response.Headers.ContentDisposition.ToString().StartsWith("attachment", StringComparison.OrdinalIgnoreCase);

    private static string? WhyNot(IHttpResponseFeature response, PageBody body)
    {
        if (response.Headers.ContentEncoding.ToString() is { Length: > 0 } encoding && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return $"the page is encoded ({Printable(encoding)}), though nobody asked for that";
        }

        var charset = MediaTypeHeaderValue.Parse(response.Headers.ContentType.ToString()).Charset.ToString().Trim('"');
        return body.HasWideLetters || WideCharsets.Any(wide => charset.StartsWith(wide, StringComparison.OrdinalIgnoreCase))
            ? $"the page's character encoding ({(charset.Length == 0 ? "UTF-16" : Printable(charset))}) is not made of ASCII"
            : null;
    }

    /// <summary>Where the browser finds the reloader: behind what a proxy has cut off the path, and what the application has.</summary>
    private static string DevPath(IHttpRequestFeature request)
    {
        var cutOff = request.Headers["X-Forwarded-Prefix"].ToString().TrimEnd('/');
        var prefix = cutOff.StartsWith('/') && !cutOff.StartsWith("//", StringComparison.Ordinal) ? new PathString(cutOff) : PathString.Empty;
        return prefix.ToUriComponent() + new PathString(request.PathBase).ToUriComponent() + DevEndpoints.Path;
    }

    // Asynchronous: it doesn't keep the page waiting, nor wait for a page that never ends. Not a module: in front of an import map that
    // would make older browsers disregard the map.
    private static byte[] Script(string path, string generation, string? nonce) => Encoding.ASCII.GetBytes(
        $"<script async src=\"{Html(path)}/client.js?generation={Html(generation)}\""
        + (nonce is null ? "" : $" nonce=\"{Html(nonce)}\"")
        + "></script>");

    private void SayOnce(string reason, string path)
    {
        lock (_said)
        {
            if (!_said.Add(reason))
            {
                return;
            }
        }

        console.Say($"{new PathString(path).ToUriComponent()} is not refreshed by itself: {reason}");
    }

    private static string Html(string text) => HtmlEncoder.Default.Encode(text);

    private static string Printable(string text) => string.Concat(text.Take(50).Where(letter => letter is > ' ' and <= '~' and not '"'));
}
