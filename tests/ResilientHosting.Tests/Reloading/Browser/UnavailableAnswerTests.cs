using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class UnavailableAnswerTests
{
    private const string Browser = "text/html,application/xhtml+xml,*/*;q=0.8";

    private static readonly ReloadMoment Broken = Moment(SomeFailure.Of(
        "The latest edit has 1 error.", new BuildDiagnostic("CS1002", true, "/shop/Program.cs", 3, 5, "; <expected>")));

    [Fact]
    public async Task Program_GetsProblemDetails()
    {
        var context = await AnswerAsync(Broken, accept: "*/*");

        var response = context.Response;
        Assert.Equal((503, "application/problem+json", "1", "no-store"), (response.StatusCode, response.ContentType, response.Headers.RetryAfter.ToString(), response.Headers.CacheControl.ToString()));
        Assert.Equal("3", response.Headers["X-Dev-Generation"]);
        Assert.Equal("The latest edit has 1 error. /shop/Program.cs(3,5): error CS1002: ; <expected>", response.Headers["X-Dev-Error"]);
        var problem = JsonDocument.Parse(Text(context)).RootElement;
        Assert.Equal("The latest edit has 1 error.", problem.GetProperty("title").GetString());
        Assert.Equal("/shop/Program.cs(3,5): error CS1002: ; <expected>", problem.GetProperty("detail").GetString());
        Assert.Equal((503, 3), (problem.GetProperty("status").GetInt32(), problem.GetProperty("generation").GetInt32()));
        var diagnostic = problem.GetProperty("diagnostics")[0];
        Assert.Equal(("CS1002", "/shop/Program.cs", 3, 5), (
            diagnostic.GetProperty("id").GetString(), diagnostic.GetProperty("file").GetString(), diagnostic.GetProperty("line").GetInt32(), diagnostic.GetProperty("column").GetInt32()));
        Assert.Equal(JsonValueKind.Null, problem.GetProperty("exception").ValueKind);
    }

    [Fact]
    public async Task Browser_GetsAPage_ThatCanBeReadWithoutAScript()
    {
        var context = await AnswerAsync(Broken, Browser);

        Assert.Equal((503, "text/html; charset=utf-8"), (context.Response.StatusCode, context.Response.ContentType));
        Assert.Equal(context.Response.ContentLength, context.Response.Body.Length);
        Assert.Equal("Accept", context.Response.Headers.Vary);
        var page = Text(context);
        Assert.Contains("<h1>The latest edit has 1 error.</h1>", page, StringComparison.Ordinal);
        Assert.Contains("; &lt;expected&gt;", page, StringComparison.Ordinal);
        Assert.Contains("<noscript><meta http-equiv=\"refresh\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Form_IsNotSentAgainByItself()
    {
        var page = Text(await AnswerAsync(Broken, Browser, method: "POST"));

        Assert.DoesNotContain("refresh", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.Contains("send the request again", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoFailureKnown_PageComesBackByItself_AndDataSaysWhy()
    {
        var page = Text(await AnswerAsync(Moment(null), Browser));
        var problem = JsonDocument.Parse(Text(await AnswerAsync(Moment(null), "*/*"))).RootElement;

        Assert.Contains("<meta http-equiv=\"refresh\" content=\"1\">", page, StringComparison.Ordinal);
        Assert.Contains("<h1>Nothing came up.</h1>", page, StringComparison.Ordinal);
        Assert.Equal("Nothing came up.", problem.GetProperty("title").GetString());
    }

    [Theory]
    [InlineData("192.0.2.7", "localhost", "*/*")]
    [InlineData("192.0.2.7", "localhost", Browser)]
    [InlineData("127.0.0.1", "attacker.example", "*/*")]
    [InlineData("127.0.0.1", "attacker.example", Browser)]
    public async Task Stranger_GetsABareSentence(string address, string host, string accept)
    {
        var context = await AnswerAsync(Broken, accept, address: address, host: host);

        var text = Text(context);
        Assert.Equal(503, context.Response.StatusCode);
        Assert.Contains("The application is not running.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("CS1002", text, StringComparison.Ordinal);
        Assert.DoesNotContain("edit", text, StringComparison.Ordinal);
        Assert.False(context.Response.Headers.ContainsKey("X-Dev-Error"));
    }

    private static ReloadMoment Moment(ReloadFailure? failure) => new(1, 3, 4, ReloadPhase.Watching, false, failure, default);

    private static async Task<HttpContext> AnswerAsync(
        ReloadMoment moment, string accept, string method = "GET", string address = "127.0.0.1", string host = "localhost")
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Request.Host = new HostString(host);
        context.Request.Headers.Accept = accept;
        context.Connection.RemoteIpAddress = IPAddress.Parse(address);
        context.Response.Body = new MemoryStream();
        await UnavailableAnswer.WriteAsync(context.Features, "Nothing came up.", moment, new DevReloaderOptions());
        return context;
    }

    private static string Text(HttpContext context) => Encoding.UTF8.GetString(((MemoryStream)context.Response.Body).ToArray());
}
