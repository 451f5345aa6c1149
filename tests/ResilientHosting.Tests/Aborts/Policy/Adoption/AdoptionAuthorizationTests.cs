using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResilientHosting.Aborts;

namespace ResilientHosting.Tests.Aborts.Policy.Adoption;

/// <summary>The key is no secret. Whoever knows it still gets nothing that his own name does not get.</summary>
public sealed class AdoptionAuthorizationTests
{
    [Theory]
    [InlineData("/minimal", true)]
    [InlineData("/minimal", false)]
    [InlineData("/adopting", true)]
    [InlineData("/adopting", false)]
    public async Task Result_OfAnotherUser_IsNeverSeen(string path, bool running)
    {
        await using var host = await StartAsync();
        using var leaving = new CancellationTokenSource();
        var left = host.SendAsync("key", path: path, authorization: "alice", leaving: leaving);
        var run = await host.Work.StartedAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        await run.ClientLeftAsync();
        if (!running)
        {
            await host.EndLeftAsync(run, "for alice");
        }

        var bobs = host.SendAsync("key", path: path, authorization: "bob");
        (await host.Work.StartedAsync()).End("for bob");
        using var nobodys = await host.SendAsync("key", path: path);
        using var suspended = await host.SendAsync("key", path: path, authorization: "alice suspended");
        var alices = host.SendAsync("key", path: path, authorization: "alice");
        if (running)
        {
            await host.Events.SeenAsync("ResendWaits");
            run.End("for alice");
        }

        using var bobsAnswer = await bobs;
        using var alicesAnswer = await alices;
        Assert.Equal("for bob", await ResendHost.TextAsync(bobsAnswer));
        Assert.Equal("for alice", await ResendHost.TextAsync(alicesAnswer));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden), (nobodys.StatusCode, suspended.StatusCode));
        Assert.Equal(2, host.Work.Runs);
    }

    [Fact]
    public async Task User_AuthenticatedWithoutIdentity_SharesNothing()
    {
        await using var host = await StartAsync();
        host.Client.DefaultRequestHeaders.Add("X-Nameless", "1");
        var first = host.SendForTextAsync("key", path: "/minimal");
        var firstRun = await host.Work.StartedAsync();
        var second = host.SendForTextAsync("key", path: "/minimal");
        (await host.Work.StartedAsync()).End("2");
        firstRun.End("1");

        Assert.Equal(("1", "2"), (await first, await second));
        Assert.Equal(2, host.Logs.Lines.Count(line => line.Event.Name == "ResendUserUnknown"));
    }

    private static Task<ResendHost> StartAsync() => ResendHost.StartAsync(
        configure: builder =>
        {
            builder.Services.AddAuthentication("test").AddScheme<AuthenticationSchemeOptions, NameScheme>("test", null);
            builder.Services.AddAuthorizationBuilder().SetDefaultPolicy(
                new AuthorizationPolicyBuilder().RequireAuthenticatedUser()
                    .RequireAssertion(context => !context.User.HasClaim("suspended", "yes")).Build());
            builder.Services.AddControllers().AddApplicationPart(typeof(AdoptingController).Assembly);
        },
        use: app =>
        {
            app.UseAuthentication();
            app.UseAuthorization();
        },
        map: (app, work) =>
        {
            app.MapPost("/minimal", work.Handler).AdoptOnResend().RequireAuthorization();
            app.MapControllers();
        });

    private sealed class NameScheme(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            var parts = Request.Headers.Authorization.ToString().Split(' ');
            Claim[] claims = Request.Headers.ContainsKey("X-Nameless") ? [new Claim("role", "robot")]
                : [new Claim("sub", parts[0]), new Claim("suspended", parts.Length > 1 ? "yes" : "no")];
            var isKnown = parts[0].Length > 0 || claims.Length == 1;
            return Task.FromResult(isKnown
                ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity(claims, "test")), "test"))
                : AuthenticateResult.NoResult());
        }
    }
}

[Authorize]
public sealed class AdoptingController(GatedWork work) : Controller
{
    [HttpPost("/adopting")]
    [AdoptOnResend]
    public async Task<IActionResult> Post()
    {
        await (await work.RunAsync(HttpContext)).ExecuteAsync(HttpContext);
        return new EmptyResult();
    }
}
