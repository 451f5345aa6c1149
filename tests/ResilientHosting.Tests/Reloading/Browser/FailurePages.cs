using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Pages of no server: the reloader's files as they are, and beside them what a test puts there.</summary>
internal static partial class FailurePages
{
    private const string Origin = "http://localhost:1";

    private const string StrictPolicy = "default-src 'none'; script-src 'self'; require-trusted-types-for 'script'";

    private const string Shop = """
        <!doctype html><html lang="en"><meta name="color-scheme" content="light dark"><title>Shop</title>
        <h1>Shop</h1><p>A page of the application, as it was before the edit.</p><button id="first">First</button> <input id="second">
        """;

    /// <summary>A page of the application, with a policy that forbids all but scripts of its own origin.</summary>
    public static Task<IPage> OpenStrictPageAsync(this Chromium chromium, ColorScheme scheme = ColorScheme.Light) =>
        chromium.OpenPageAsync(Shop, StrictPolicy, "", scheme);

    /// <summary>A page of the application on which everything runs that gets there.</summary>
    public static Task<IPage> OpenLaxPageAsync(this Chromium chromium) => chromium.OpenPageAsync(Shop, "", "", ColorScheme.Light);

    /// <summary>The page that stands in for the application.</summary>
    public static Task<IPage> OpenErrorPageAsync(this Chromium chromium, ReloadMoment moment, string? policy = null, params IEnumerable<ReloadMoment> events) =>
        chromium.OpenPageAsync(
            Encoding.UTF8.GetString(ErrorPage.Write("", moment, mayRepeat: true)),
            policy ?? ErrorPage.ContentSecurityPolicy,
            string.Concat(events.Select(later => $"event: status\ndata: {Encoding.UTF8.GetString(StatusJson.Write(later))}\n\n")),
            ColorScheme.Light);

    public static Task ShowAsync(this IPage page, ReloadFailure failure) =>
        page.EvaluateAsync("async failure => (await import('/_dev/overlay.js')).show(JSON.parse(failure))", Json(failure));

    public static Task HideAsync(this IPage page) => page.EvaluateAsync("async () => (await import('/_dev/overlay.js')).hide()");

    public static string Json(ReloadFailure failure)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            FailureJson.Write(json, failure);
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static async Task<IPage> OpenPageAsync(this Chromium chromium, string html, string policy, string events, ColorScheme scheme)
    {
        var page = await chromium.OpenAsync(scheme: scheme);
        await page.SetViewportSizeAsync(1200, 760);
        await page.RouteAsync(Everything(), route => route.FulfillAsync(new()
        {
            Body = html,
            ContentType = "text/html; charset=utf-8",
            Headers = new Dictionary<string, string> { ["Content-Security-Policy"] = policy },
        }));
        await page.RouteAsync(Origin + "/_dev/*", route =>
            DevAssets.Find(new Uri(route.Request.Url).AbsolutePath[DevEndpoints.Path.Length..]) is { } asset
                ? route.FulfillAsync(new() { BodyBytes = asset.Content, ContentType = asset.ContentType })
                : route.FulfillAsync(new() { Body = "retry: 600000\n\n" + events, ContentType = "text/event-stream" }));
        await page.GotoAsync(Origin + "/");
        return page;
    }

    [GeneratedRegex("^http://localhost:1/")]
    private static partial Regex Everything();
}
