using System.Net.Mime;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Reloading;

/// <summary>The answer of last resort, when no generation runs: a page for people, problem details for programs, and a bare sentence for strangers.</summary>
internal static class UnavailableAnswer
{
    private const string ForStrangers = "The application is not running.";

    /// <param name="features">The request.</param>
    /// <param name="reason">Why nothing can answer it.</param>
    /// <param name="moment">How things stand.</param>
    /// <param name="options">Who is a stranger.</param>
    public static Task WriteAsync(IFeatureCollection features, string reason, ReloadMoment moment, DevReloaderOptions options)
    {
        var context = new DefaultHttpContext(features);
        var isStranger = DevAccess.WhyMayNotRead(context, options) is not null;
        var isPage = WantedFormat.IsPage(context.Request.Headers.Accept);
        var headers = context.Response.Headers;
        context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        headers.CacheControl = "no-store";
        headers.RetryAfter = "1";
        headers.Vary = "Accept";
        headers.XContentTypeOptions = "nosniff";
        headers[DevReloaderHeaders.Generation] = FormattableString.Invariant($"{moment.Generation}");
        if (!isStranger && moment.Failure is { } failure)
        {
            headers[DevReloaderHeaders.Error] = failure.ToHeaderValue();
        }

        if (isPage)
        {
            headers.ContentSecurityPolicy = ErrorPage.ContentSecurityPolicy;
        }

        var content = (isPage, isStranger) switch
        {
            (true, true) => ErrorPage.Write(ForStrangers),
            (true, false) => ErrorPage.Write(reason, moment, mayRepeat: HttpMethods.IsGet(context.Request.Method)),
            (false, true) => Problem(ForStrangers, null),
            (false, false) => Problem(reason, moment),
        };
        context.Response.ContentType = isPage ? "text/html; charset=utf-8" : MediaTypeNames.Application.ProblemJson;
        context.Response.ContentLength = content.Length;
        return context.Response.Body.WriteAsync(content).AsTask();
    }

    private static byte[] Problem(string reason, ReloadMoment? moment) => JsonBytes.Write(json =>
    {
        json.WriteString("title", moment?.Failure?.Title ?? reason);
        json.WriteNumber("status", StatusCodes.Status503ServiceUnavailable);
        if (moment is not null)
        {
            json.WriteString("detail", moment.Failure?.Summary ?? "Ask again in a moment.");
            json.WriteNumber("generation", moment.Generation);
            if (moment.Failure is { } failure)
            {
                FailureJson.WriteMembers(json, failure);
            }
        }
    });
}
