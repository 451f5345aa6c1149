using System.Text;
using Microsoft.AspNetCore.Http;
using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Which responses get the script.</summary>
public sealed class InjectionTests : InjectionHost
{
    [Theory]
    [InlineData("text/html")]
    [InlineData("text/html; charset=utf-8")]
    [InlineData("TEXT/HTML; charset=\"iso-8859-1\"")]
    public async Task Navigation_ToAPage_GetsTheScript(string contentType)
    {
        var answer = await OpenAsync(response => RespondAsync(response, contentType, Page));

        Assert.Equal(Page.Replace("<head>", "<head>" + Script, StringComparison.Ordinal), await ReadAsync(answer));
        Assert.False(answer.Headers.Contains(DevReloaderHeaders.Refresh));
    }

    [Theory]
    [InlineData(StatusCodes.Status404NotFound)]
    [InlineData(StatusCodes.Status500InternalServerError)]
    public async Task Navigation_ToAnErrorPage_GetsTheScript(int statusCode)
    {
        var answer = await OpenAsync(response =>
        {
            response.StatusCode = statusCode;
            return RespondAsync(response, "text/html", "<h1>no</h1>");
        });

        Assert.Equal(Script + "<h1>no</h1>", await ReadAsync(answer));
    }

    [Theory]
    [InlineData("Sec-Fetch-Dest", "empty")]
    [InlineData("Sec-Fetch-Dest", "image")]
    [InlineData("Accept", "*/*")]
    [InlineData("Accept", "text/html; blazor-enhanced-nav=on")]
    [InlineData("X-Requested-With", "XMLHttpRequest")]
    [InlineData("HX-Request", "true")]
    [InlineData("Turbo-Frame", "cart")]
    [InlineData("X-Forwarded-For", "192.0.2.7")]
    [InlineData("Host", "shop.example")]
    public async Task Request_ThatIsNoNavigationOfTheDeveloper_GetsThePageAsItIs(string header, string value)
    {
        var answer = await OpenAsync(response => RespondAsync(response, "text/html", Page), (header, value));

        Assert.Equal(Page, await ReadAsync(answer));
        Assert.False(answer.Headers.Contains(DevReloaderHeaders.Refresh));
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("HEAD")]
    public async Task Request_OfAnotherMethod_IsLeftAlone(string method)
    {
        var answer = await OpenAsync(response => method == "HEAD" ? Task.CompletedTask : RespondAsync(response, "text/html", Page), ("Method", method));

        Assert.Equal(method == "HEAD" ? "" : Page, await ReadAsync(answer));
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    [InlineData("text/htmlx")]
    [InlineData("nonsense")]
    public async Task Navigation_ToSomethingElse_IsLeftAlone(string contentType)
    {
        var answer = await OpenAsync(async response =>
        {
            response.Headers.ETag = "\"1\"";
            await RespondAsync(response, contentType, Page);
        });

        Assert.Equal(Page, await ReadAsync(answer));
        Assert.True(answer.Headers.Contains("ETag"));
    }

    [Fact]
    public async Task Navigation_ToADownload_IsLeftAlone()
    {
        var answer = await OpenAsync(response =>
        {
            response.Headers.ContentDisposition = "attachment; filename=page.html";
            return RespondAsync(response, "text/html", Page);
        });

        Assert.Equal(Page, await ReadAsync(answer));
    }

    [Theory]
    [InlineData(StatusCodes.Status204NoContent)]
    [InlineData(StatusCodes.Status304NotModified)]
    [InlineData(StatusCodes.Status200OK)]
    public async Task Navigation_ToNothing_StaysNothing(int statusCode)
    {
        var answer = await OpenAsync(response =>
        {
            response.StatusCode = statusCode;
            response.ContentType = "text/html";
            return Task.CompletedTask;
        });

        Assert.Equal(statusCode, (int)answer.StatusCode);
        Assert.Equal("", await ReadAsync(answer));
    }

    [Fact]
    public async Task Navigation_WhenSwitchedOff_GetsThePageAsItIs()
    {
        Options.RefreshBrowser = false;

        Assert.Equal(Page, await ReadAsync(await OpenAsync(response => RespondAsync(response, "text/html", Page))));
    }

    [Fact]
    public async Task Page_ThatTheBrowserKnows_IsSentAgainWholeAndUnencoded()
    {
        var answer = await OpenAsync(
            async response =>
            {
                var asked = response.HttpContext.Request.Headers;
                (response.Headers.ETag, response.Headers.LastModified, response.Headers.AcceptRanges) = ("\"1\"", "Sun, 22 Nov 2026 00:00:00 GMT", "bytes");
                await RespondAsync(response, "text/html", $"<p>{asked.AcceptEncoding}{asked.IfNoneMatch}{asked.IfModifiedSince}{asked.Range}{asked.IfRange}</p>");
            },
            ("Accept-Encoding", "gzip, br"), ("If-None-Match", "\"1\""), ("If-Modified-Since", "Sun, 22 Nov 2026 00:00:00 GMT"), ("Range", "bytes=0-1"), ("If-Range", "\"1\""));

        Assert.Equal(Script + "<p></p>", await ReadAsync(answer));
        Assert.Null(answer.Headers.ETag);
        Assert.Null(answer.Content.Headers.LastModified);
        Assert.Empty(answer.Headers.AcceptRanges);
    }

    [Fact]
    public async Task Page_WithAPolicy_GetsItsMark()
    {
        // As middleware does that adds its headers last.
        var answer = await OpenAsync(response =>
        {
            response.OnStarting(() =>
            {
                response.Headers.ContentSecurityPolicy = "default-src 'self'; script-src 'nonce-r4nd\"m'";
                return Task.CompletedTask;
            });
            return RespondAsync(response, "text/html", "<p>");
        });

        Assert.Equal(Tag("/_dev", " nonce=\"r4nd&quot;m\"") + "<p>", await ReadAsync(answer));
    }

    [Theory]
    [InlineData("Content-Security-Policy", "default-src 'none'", "script-src")]
    [InlineData("Content-Encoding", "br", "encoded (br)")]
    [InlineData("Content-Type", "text/html; charset=utf-16", "encoding (utf-16)")]
    public async Task Page_ThatCannotHaveTheScript_SaysWhyAndIsLeftAlone(string header, string value, string reason)
    {
        var answer = await OpenAsync(async response =>
        {
            response.ContentType = "text/html";
            response.Headers[header] = value;
            await response.WriteAsync(Page, Token);
        });

        Assert.Equal(Page, await ReadAsync(answer));
        var told = Assert.Single(answer.Headers.GetValues(DevReloaderHeaders.Refresh));
        Assert.StartsWith("skipped; reason=\"", told, StringComparison.Ordinal);
        Assert.Contains(reason, told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_WithAByteOrderMarkOfWideLetters_IsLeftAlone()
    {
        var page = Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes(Page)).ToArray();

        var answer = await OpenAsync(async response =>
        {
            response.ContentType = "text/html";
            await response.Body.WriteAsync(page, Token);
        });

        Assert.Equal(page, await answer.Content.ReadAsByteArrayAsync(Token));
        Assert.Contains("UTF-16", Assert.Single(answer.Headers.GetValues(DevReloaderHeaders.Refresh)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/shop", null, "/shop/_dev")]
    [InlineData("/grüße", null, "/gr%C3%BC%C3%9Fe/_dev")]
    [InlineData("", "/outside", "/outside/_dev")]
    [InlineData("/shop", "/outside/", "/outside/shop/_dev")]
    [InlineData("", "//evil.example", "/_dev")]
    [InlineData("", "javascript:x", "/_dev")]
    [InlineData("", "/\"><script>", "/%22%3E%3Cscript%3E/_dev")]
    public async Task Page_BelowAnotherPath_FindsTheScriptThere(string pathBase, string? prefix, string expected)
    {
        var answer = await OpenAsync(
            response =>
            {
                response.HttpContext.Request.PathBase = pathBase;
                return RespondAsync(response, "text/html", "<p>");
            },
            prefix is null ? [] : [("X-Forwarded-Prefix", prefix)]);

        Assert.Equal(Tag(expected, "") + "<p>", await ReadAsync(answer));
    }
}
