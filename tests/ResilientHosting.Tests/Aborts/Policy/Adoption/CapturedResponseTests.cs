using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHosting.Tests.Aborts.Policy.Adoption;

/// <summary>Whoever adopts gets the answer that the leader's own client would have got, from however the handler wrote it.</summary>
public sealed class CapturedResponseTests
{
    private static readonly string[] Lines = ["one", "two"];

    [Theory]
    [InlineData("text", 200, "text/plain; charset=utf-8", "hello")]
    [InlineData("json", 200, "application/json; charset=utf-8", "[\"one\",\"two\"]")]
    [InlineData("pipe", 200, null, "hello")]
    [InlineData("unflushed", 200, null, "hello")]
    [InlineData("parts", 202, null, "hello")]
    [InlineData("started", 202, null, "hello")]
    [InlineData("file", 200, "text/plain", "file content")]
    [InlineData("empty", 204, null, "")]
    [InlineData("missing", 404, null, "")]
    [InlineData("redirect", 302, null, "")]
    public async Task Answer_HoweverItIsWritten_IsTheSameForWhoAdopts(string kind, int status, string? contentType, string body)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "file content", TestContext.Current.CancellationToken);
        await using var host = await StartAsync(kind, file);

        var (leaders, adopters) = await BothAsync(host);

        foreach (var answer in new[] { leaders, adopters })
        {
            Assert.Equal((status, contentType), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.ToString()));
            Assert.Equal(body, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            Assert.Equal(["yes"], answer.Headers.GetValues("X-Handler"));
            Assert.Equal(kind == "redirect" ? "/elsewhere" : null, answer.Headers.Location?.ToString());
        }

        File.Delete(file);
    }

    [Theory]
    [InlineData("large")]
    [InlineData("streamed")]
    [InlineData("events")]
    [InlineData("cookie")]
    public async Task Answer_CannotBeKept_WhoWaitsIsToldThatTheWorkWasDone(string kind)
    {
        await using var host = await StartAsync(kind);

        var (leaders, adopters) = await BothAsync(host);

        Assert.Equal(HttpStatusCode.OK, leaders.StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, adopters.StatusCode);
        var text = await adopters.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("could not be kept", text, StringComparison.Ordinal);
        Assert.Equal(["too_large"], host.Outcomes);
    }

    [Fact]
    public async Task Answer_TooLargeAndNobodyWasThere_NextRequestIsToldOnceAndDoesNotRun()
    {
        await using var host = await ResendHost.StartAsync(options: options => options.Adoption.MaxResultSize = 10);
        await host.EndLeftAsync(await host.LeaveWorkAsync("key"), "longer than ten bytes");

        Assert.Equal("409", await host.SendForTextAsync("key"));
        Assert.Equal(1, host.Work.Runs);
    }

    [Fact]
    public async Task Headers_OfTheMiddleware_AreThoseOfTheRequestThatAdopts()
    {
        var requests = 0;
        await using var host = await ResendHost.StartAsync(
            configure: builder => builder.Services.AddResponseCompression(),
            use: app =>
            {
                app.UseResponseCompression();
                app.Use(next => context =>
                {
                    context.Response.Headers["X-Request"] = $"{Interlocked.Increment(ref requests)}";
                    return next(context);
                });
            });
        host.Client.DefaultRequestHeaders.AcceptEncoding.ParseAdd("gzip");
        var run = await host.LeaveWorkAsync("key");
        host.Client.DefaultRequestHeaders.AcceptEncoding.Clear();
        var resent = host.SendAsync("key");
        await host.Events.SeenAsync("ResendWaits");
        run.End(new string('x', 500));

        // The answer would have been compressed for the leader's client; the one that adopts did not ask for that.
        using var answer = await resent;
        Assert.Empty(answer.Content.Headers.ContentEncoding);
        Assert.Equal(new string('x', 500), await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(["2"], answer.Headers.GetValues("X-Request"));
    }

    private static async Task<(HttpResponseMessage Leaders, HttpResponseMessage Adopters)> BothAsync(ResendHost host)
    {
        var leader = host.SendAsync("key");
        var run = await host.Work.StartedAsync();
        var adopter = host.SendAsync("key");
        await host.Events.SeenAsync("ResendWaits");
        run.End(Results.Empty);
        return (await leader, await adopter);
    }

    private static Task<ResendHost> StartAsync(string kind, string file = "") => ResendHost.StartAsync(map: (app, work) => app.MapPost(
        "/work",
        async (HttpContext context) =>
        {
            await work.RunAsync(context);
            context.Response.Headers["X-Handler"] = "yes";
            await AnswerAsync(context, kind, file);
        }).AdoptOnResend(), options: options => options.Adoption.MaxResultSize = 100);

    private static async Task AnswerAsync(HttpContext context, string kind, string file)
    {
        var response = context.Response;
        switch (kind)
        {
            case "text":
                await Results.Text("hello").ExecuteAsync(context);
                break;
            case "json":
                await response.WriteAsJsonAsync(Lines);
                break;
            case "pipe":
                await response.BodyWriter.WriteAsync("hello"u8.ToArray());
                break;
            case "unflushed":
                "hello"u8.CopyTo(response.BodyWriter.GetSpan(5));
                response.BodyWriter.Advance(5);
                break;
            case "parts":
                response.StatusCode = 202;
                await response.WriteAsync("hel");
                await response.Body.FlushAsync();
                await response.Body.WriteAsync("lo"u8.ToArray());
                break;
            case "started":
                response.StatusCode = 202;
                await response.StartAsync();
                await response.WriteAsync("hello");
                await response.CompleteAsync();
                break;
            case "file":
                response.ContentType = "text/plain";
                await response.SendFileAsync(file);
                break;
            case "empty":
                response.StatusCode = 204;
                break;
            case "missing":
                response.StatusCode = 404;
                break;
            case "redirect":
                response.Redirect("/elsewhere");
                break;
            case "large":
                await response.WriteAsync(new string('x', 60));
                await response.WriteAsync(new string('x', 60));
                break;
            case "streamed":
                context.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
                await response.WriteAsync("hello");
                break;
            case "events":
                response.ContentType = "text/event-stream";
                await response.WriteAsync("data: hello\n\n");
                break;
            case "cookie":
                response.Cookies.Append("session", "1");
                await response.WriteAsync("hello");
                break;
        }
    }
}
