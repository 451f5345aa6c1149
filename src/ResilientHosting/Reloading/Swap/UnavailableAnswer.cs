using System.Net;
using System.Net.Mime;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Reloading;

/// <summary>The answer of last resort, when no generation runs: a page for browsers, problem details for everything else.</summary>
internal static class UnavailableAnswer
{
    public static async Task WriteAsync(IFeatureCollection features, ApplicationUnavailableException unavailable)
    {
        var response = features.GetRequiredFeature<IHttpResponseFeature>();
        var body = features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var wantsPage = features.GetRequiredFeature<IHttpRequestFeature>().Headers.Accept.ToString()
            .Contains(MediaTypeNames.Text.Html, StringComparison.OrdinalIgnoreCase);

        // Source paths and stack traces are for the developer at this machine.
        var isLocal = features.Get<IHttpConnectionFeature>()?.RemoteIpAddress is not { } address || IPAddress.IsLoopback(address);
        var detail = isLocal ? unavailable.InnerException?.ToString() ?? "" : "";
        var content = Encoding.UTF8.GetBytes(wantsPage ? Page(unavailable.Message, detail) : Problem(unavailable.Message, detail));

        response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        response.Headers.ContentType = wantsPage ? "text/html; charset=utf-8" : MediaTypeNames.Application.ProblemJson;
        response.Headers.ContentLength = content.Length;
        response.Headers.CacheControl = "no-store";
        response.Headers.RetryAfter = "1";
        await body.Writer.WriteAsync(content).ConfigureAwait(false);
    }

    private static string Page(string title, string detail) =>
        $$"""
        <!doctype html>
        <html lang="en"><meta charset="utf-8"><title>The application is not running</title>
        <meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="1">
        <style>
          :root { color-scheme: light dark; font-family: system-ui, sans-serif }
          body { max-width: 60rem; margin: 4rem auto; padding: 0 1rem }
          pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem }
        </style>
        <h1>The application is not running</h1>
        <p>{{HtmlEncoder.Default.Encode(title)}} Save a fix; this page follows.</p>
        <pre>{{HtmlEncoder.Default.Encode(detail)}}</pre>
        """;

    private static string Problem(string title, string detail)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("title", title);
            json.WriteNumber("status", StatusCodes.Status503ServiceUnavailable);
            json.WriteString("detail", detail);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
