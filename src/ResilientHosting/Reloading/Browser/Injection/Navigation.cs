using System.Net.Mime;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace ResilientHosting.Reloading;

/// <summary>A request by which a browser opens a page, as opposed to those that a page makes.</summary>
internal static class Navigation
{
    // How libraries mark their requests for pieces of pages, for browsers that don't say what a request is for.
    private static readonly string[] Fragments = ["X-Requested-With", "HX-Request", "Turbo-Frame", "X-Turbo-Request-Id"];

    private static readonly string[] NotForPages =
    [
        // An encoded page would have to be decoded.
        HeaderNames.AcceptEncoding,

        // A page that the browser has kept was made by an older generation, and says so.
        HeaderNames.IfNoneMatch, HeaderNames.IfModifiedSince,

        // A piece of a page is where it is in the page without the script.
        HeaderNames.Range, HeaderNames.IfRange,
    ];

    public static bool Is(IHttpRequestFeature request)
    {
        var headers = request.Headers;
        if (!HttpMethods.IsGet(request.Method))
        {
            return false;
        }

        if (headers["Sec-Fetch-Dest"].ToString() is { Length: > 0 } destination)
        {
            return destination is "document" or "iframe" or "frame";
        }

        var accept = headers.Accept.ToString();
        return accept.Contains(MediaTypeNames.Text.Html, StringComparison.OrdinalIgnoreCase)
            && !accept.Contains("blazor-enhanced-nav", StringComparison.OrdinalIgnoreCase)
            && !Fragments.Any(headers.ContainsKey);
    }

    /// <summary>Makes it a request for the page as it is now, whole and not encoded.</summary>
    public static void AskForWholePage(IHttpRequestFeature request)
    {
        foreach (var header in NotForPages)
        {
            request.Headers.Remove(header);
        }
    }
}
