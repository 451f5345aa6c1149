using System.Text;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Options;

/// <summary>Pages as applications serve them, for browsers that refresh them.</summary>
internal static class RefreshPages
{
    private const string Version = "v1";

    private static readonly string Tall = string.Concat(Enumerable.Range(1, 200).Select(line => $"<p>line {line}</p>"));

    public static void MapRefreshPages(this WebApplication app)
    {
        app.UseStaticFiles();
        app.Map("/pages/below", below => below.Run(context => Html(Page(Version)).ExecuteAsync(context)));
        app.UseWhen(
            context => context.Request.Path == "/pages/compressed",
            compressed => compressed.UseMiddleware<ResponseCompressionMiddleware>(
                new ResponseCompressionProvider(app.Services, Options.Create(new ResponseCompressionOptions()))));
        app.MapGet("/pages/plain", () => Html(Page(Version)));
        app.MapGet("/pages/compressed", () => Html(Page(Version)));
        app.MapGet("/pages/tall", () => Html(Page(Version + Tall)));
        app.MapGet("/pages/script", () => Html(Page(Version + "<script src=\"/site.js\"></script>")));
        app.MapGet("/pages/secured", (string policy, HttpResponse response) =>
        {
            response.Headers.ContentSecurityPolicy = policy;
            return Html(Page(Version));
        });
        app.MapGet("/pages/self-secured", () => Html(Page(Version).Replace(
            "<title>", "<meta http-equiv=\"Content-Security-Policy\" content=\"connect-src 'none'\"><title>")));
        app.MapGet("/pages/endless", async (HttpResponse response, CancellationToken left) =>
        {
            response.ContentType = "text/html";
            await response.WriteAsync(Page(Version)[..^"</body></html>".Length], left);
            await response.Body.FlushAsync(left);
            await Task.Delay(Timeout.Infinite, left);
        });
    }

    private static IResult Html(string page) => Results.Content(page, "text/html; charset=utf-8", Encoding.UTF8);

    private static string Page(string content) =>
        $"<!doctype html><html lang=\"en\"><head><title>a page</title><link rel=\"stylesheet\" href=\"/css/site.css\"></head><body><main>{content}</main></body></html>";
}
