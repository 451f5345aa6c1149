using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Aborts;

namespace ResilientHosting.Tests.Aborts.Policy.Adoption;

public sealed class AdoptionTests
{
    [Theory]
    [InlineData(ServerKind.Kestrel)]
    [InlineData(ServerKind.TestServer)]
    public async Task Resend_TenSecondRequestStoppedAndSentAgainThreeTimes_RunsOnceAndTheLastGetsTheResult(ServerKind server)
    {
        await using var host = await ResendHost.StartAsync(server);
        var run = await host.LeaveWorkAsync("key");
        for (var resend = 1; resend <= 2; resend++)
        {
            using var leaving = new CancellationTokenSource();
            var stopped = host.SendAsync("key", leaving: leaving);
            await host.Events.SeenAsync("ResendWaits", resend);
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stopped);
            await host.Events.SeenAsync("ClientAborted", resend);
        }

        var last = host.SendForTextAsync("key");
        await host.Events.SeenAsync("ResendWaits", 3);
        host.Clock.Advance(TimeSpan.FromSeconds(10));
        run.End("result");

        Assert.Equal("result", await last);
        Assert.Equal(1, host.Work.Runs);
        Assert.False(run.Work.IsCancellationRequested);
        await host.StopAsync();
        Assert.Equal(["adopted"], host.Outcomes);
        Assert.Single(
            host.Logs.Lines,
            line => line.Event.Name == "ClientAborted" && line.Message.Contains("Completed", StringComparison.Ordinal));
        if (server == ServerKind.Kestrel)
        {
            // The test server does not wait for requests that it has answered.
            Assert.Equal(0, host.Clock.PendingTimers);
            Assert.Equal([200, 200, 499, 499], AccessRecord.Statuses(host.Logs, "/work").Order());
        }
    }

    [Fact]
    public async Task Resend_LeadersClientStillThere_BothGetTheResult()
    {
        await using var host = await ResendHost.StartAsync();
        var first = host.SendForTextAsync("key");
        var run = await host.Work.StartedAsync();
        var second = host.SendForTextAsync("key");
        await host.Events.SeenAsync("ResendWaits");

        run.End("result");

        Assert.Equal(("result", "result", 1), (await first, await second, host.Work.Runs));
    }

    [Fact]
    public async Task Resend_SeveralWait_TheLatestGetsTheResultAndTheOthersGiveWay()
    {
        await using var host = await ResendHost.StartAsync();
        var run = await host.LeaveWorkAsync("key");
        var second = host.SendAsync("key");
        await host.Events.SeenAsync("ResendWaits");
        var third = host.SendForTextAsync("key");

        // At once: the work has not ended.
        using var superseded = await second;
        Assert.Equal(HttpStatusCode.Conflict, superseded.StatusCode);
        Assert.Equal("application/problem+json", superseded.Content.Headers.ContentType?.MediaType);
        run.End("result");

        Assert.Equal("result", await third);
        Assert.Equal(["superseded", "adopted"], host.Outcomes);
    }

    [Fact]
    public async Task Result_NobodyWasThere_IsKeptAndDeliveredOnce()
    {
        await using var host = await ResendHost.StartAsync();
        await host.EndLeftAsync(await host.LeaveWorkAsync("key"), "first");
        Assert.Equal(1, host.Clock.PendingTimers);

        Assert.Equal("first", await host.SendForTextAsync("key"));
        var again = host.SendForTextAsync("key");
        (await host.Work.StartedAsync()).End("second");

        Assert.Equal(("second", 2), (await again, host.Work.Runs));
        Assert.Equal(["replayed"], host.Outcomes);
        Assert.Equal(0, host.Clock.PendingTimers);
    }

    [Fact]
    public async Task Result_ClientWasThereToTheEnd_IsNotKept()
    {
        await using var host = await ResendHost.StartAsync();
        for (var run = 1; run <= 2; run++)
        {
            var sent = host.SendForTextAsync("key");
            (await host.Work.StartedAsync()).End($"{run}");
            Assert.Equal($"{run}", await sent);
        }

        Assert.Empty(host.Outcomes);
    }

    [Fact]
    public async Task Result_RetentionIsOver_RunsAgain()
    {
        await using var host = await ResendHost.StartAsync();
        await host.EndLeftAsync(await host.LeaveWorkAsync("key"), "first");

        host.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, host.Clock.PendingTimers);

        var again = host.SendForTextAsync("key");
        (await host.Work.StartedAsync()).End("second");
        Assert.Equal("second", await again);
    }

    [Theory]
    [InlineData("exception")]
    [InlineData("status")]
    [InlineData("expired")]
    public async Task Leader_Fails_TheWaitingRequestTakesOver(string failure)
    {
        await using var host = await ResendHost.StartAsync(map: (app, work) =>
            app.MapPost("/work", work.Handler).AdoptOnResend().CompleteOnClientAbort(TimeSpan.FromSeconds(5)));
        host.Logs.Expect("ApplicationError").Expect("UnhandledException");
        var failing = await host.LeaveWorkAsync("key");
        var resent = host.SendForTextAsync("key");
        await host.Events.SeenAsync("ResendWaits");

        switch (failure)
        {
            case "exception":
                failing.Fail(new InvalidOperationException("broken"));
                break;
            case "status":
                failing.End(Results.StatusCode(503));
                break;
            default:
                host.Clock.Advance(TimeSpan.FromSeconds(5));
                failing.Fail(new OperationCanceledException(failing.Work));
                break;
        }

        (await host.Work.StartedAsync()).End("second");
        Assert.Equal(("second", 2), (await resent, host.Work.Runs));
        Assert.Equal(["took_over"], host.Outcomes);
    }

    [Fact]
    public async Task Leader_FailsWithNobodyWaiting_LeavesNothing()
    {
        await using var host = await ResendHost.StartAsync();
        var failing = await host.LeaveWorkAsync("key");
        failing.End(Results.StatusCode(500));
        await host.Events.SeenAsync("ClientAborted");

        var again = host.SendForTextAsync("key");
        (await host.Work.StartedAsync()).End("second");
        Assert.Equal("second", await again);
        Assert.Empty(host.Outcomes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Key_WithAnotherBody_IsRefusedWith422(bool running)
    {
        await using var host = await ResendHost.StartAsync();
        var run = await host.LeaveWorkAsync("key", "one body");
        if (!running)
        {
            await host.EndLeftAsync(run, "result");
        }

        using var other = await host.SendAsync("key", "another body");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
        Assert.Equal("application/problem+json", other.Content.Headers.ContentType?.MediaType);
        Assert.Equal(["mismatched"], host.Outcomes);
        if (running)
        {
            await host.EndLeftAsync(run, "result");
        }

        Assert.Equal("result", await host.SendForTextAsync("key", "one body"));
        Assert.Equal(1, host.Work.Runs);
    }

    [Theory]
    [InlineData("key", "\"key\"")]
    [InlineData("\"key\"", "key")]
    public async Task Key_QuotedOrBare_IsTheSame(string first, string second)
    {
        await using var host = await ResendHost.StartAsync();
        await host.EndLeftAsync(await host.LeaveWorkAsync(first), "result");

        Assert.Equal("result", await host.SendForTextAsync(second));
    }

    [Fact]
    public async Task Key_Malformed_IsRefusedWith400AndSaysWhy()
    {
        await using var host = await ResendHost.StartAsync();

        using var refused = await host.SendAsync(new string('k', 256));

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        var problem = JsonDocument.Parse(await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Contains("it has 256 characters", problem.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, host.Work.Runs);
        host.Logs.Only("ResendKeyInvalid");
    }

    [Fact]
    public async Task Key_Missing_RunsEachTime()
    {
        await using var host = await ResendHost.StartAsync();
        var first = host.SendForTextAsync(null);
        var firstRun = await host.Work.StartedAsync();
        var second = host.SendForTextAsync(null);
        var secondRun = await host.Work.StartedAsync();
        firstRun.End("1");
        secondRun.End("2");

        Assert.Equal(("1", "2"), (await first, await second));
        Assert.Empty(host.Outcomes);
    }

    [Theory]
    [InlineData("/one?a=1", "/two?a=1")]
    [InlineData("/one?a=1", "/one?a=2")]
    public async Task Key_ForAnotherAddress_IsAnotherKey(string first, string second)
    {
        await using var host = await ResendHost.StartAsync(map: (app, work) => app.MapPost("/{which}", work.Handler).AdoptOnResend());
        var one = host.SendForTextAsync("key", path: first);
        var run = await host.Work.StartedAsync();
        var two = host.SendForTextAsync("key", path: second);
        (await host.Work.StartedAsync()).End("2");
        run.End("1");

        Assert.Equal(("1", "2"), (await one, await two));
    }

    [Fact]
    public async Task Key_DeclaredByTheEndpoint_NeedsNoHeader()
    {
        await using var host = await ResendHost.StartAsync(map: (app, work) =>
            app.MapPost("/orders/{id}", work.Handler).AdoptOnResend(context => (string?)context.Request.RouteValues["id"]));
        var first = host.SendForTextAsync(null, path: "/orders/7");
        var run = await host.Work.StartedAsync();
        var second = host.SendForTextAsync(null, path: "/orders/7");
        await host.Events.SeenAsync("ResendWaits");
        run.End("result");

        Assert.Equal(("result", "result", 1), (await first, await second, host.Work.Runs));
    }

    [Fact]
    public async Task Waiter_TimeIsOver_IsAnswered504()
    {
        await using var host = await ResendHost.StartAsync(
            configure: builder => builder.Services.AddRequestTimeouts(),
            use: app => app.UseRequestTimeouts(),
            map: (app, work) => app.MapPost("/work", work.Handler).AdoptOnResend().WithRequestTimeout(TimeSpan.FromMilliseconds(200)));
        var first = host.SendAsync("key");
        var run = await host.Work.StartedAsync();

        using var second = await host.SendAsync("key");

        Assert.Equal(HttpStatusCode.GatewayTimeout, second.StatusCode);
        run.Fail(new OperationCanceledException(run.Work));
        using var answer = await first;
        Assert.Equal(HttpStatusCode.GatewayTimeout, answer.StatusCode);
        host.Logs.Expect("TimeoutExceptionHandled");
    }

    [Fact]
    public async Task Leader_CutShortBecauseTheHostStops_WhoWaitsIsSentAwayInsteadOfBeginningAgain()
    {
        await using var host = await ResendHost.StartAsync();
        var run = await host.LeaveWorkAsync("key");
        var resent = host.SendAsync("key");
        await host.Events.SeenAsync("ResendWaits");
        var stopped = host.StopAsync();
        await AbortTestApp.SignalledAsync(host.Stopping);
        run.Fail(new OperationCanceledException(run.Work));

        using var answer = await resent;
        await stopped;

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal(1, host.Work.Runs);
        host.Logs.Expect("ApplicationError").Expect("FailureAfterClientAbort");
    }

    [Fact]
    public void Policy_OfTheDefault_IsCompletedOnlyWhereItCancels()
    {
        var endpoint = new Endpoint(null, null, "endpoint");
        var within = ClientAbortPolicy.CompleteWithin(TimeSpan.FromSeconds(1));

        Assert.Same(ClientAbortPolicy.RunToCompletion, AdoptionPolicy.Resolve(endpoint, null, ClientAbortPolicy.Cancel));
        Assert.Same(within, AdoptionPolicy.Resolve(endpoint, null, within));
        Assert.Same(within, AdoptionPolicy.Resolve(endpoint, within, ClientAbortPolicy.Cancel));
    }

    [Fact]
    public async Task Policy_ExplicitCancel_SaysWhatToDo()
    {
        await using var host = await ResendHost.StartAsync(map: (app, work) =>
            app.MapPost("/work", work.Handler).AdoptOnResend().CancelOnClientAbort());
        host.Logs.Expect("ApplicationError");

        using var response = await host.SendAsync("key");

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        var failure = Assert.Single(host.Logs.Problems).Exception;
        Assert.IsType<InvalidOperationException>(failure);
        Assert.Contains("RunToCompletionOnClientAbort", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Policy_ToleranceDisabled_NothingIsAdopted()
    {
        await using var host = await ResendHost.StartAsync(map: (app, _) =>
            app.MapPost("/work", (HttpContext context) => context.Features.Get<IClientAbortFeature>() is null)
                .AdoptOnResend().DisableClientAbortTolerance());

        Assert.Equal("true", await host.SendForTextAsync("key"));
    }
}
