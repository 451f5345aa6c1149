using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <summary>The second release point: the handler has returned, its result is not written yet.</summary>
public sealed class ReleaseAfterHandlerTests : HandlerReleaseScenario
{
    [Theory, MemberData(nameof(Servers))]
    public async Task Resource_IsTornDownBeforeTheResultIsWritten(Server server)
    {
        await StartAsync(server, app => app.MapGet("/", UseAlphaAsync));

        Assert.Equal("+Alpha -Alpha", await GetAsync("/"));

        var outcome = await Ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, 200, false), (outcome.Kind, outcome.StatusCode, outcome.ResponseStarted));
        Assert.True(outcome.ShouldCommit);
    }

    [Fact]
    public async Task Resource_OnlyARepositoryAskedFor_IsTornDownBeforeTheResultIsWritten()
    {
        await StartAsync(
            Server.Kestrel,
            app => app.MapGet("/", async (Repository repository) =>
            {
                await repository.UseAsync();
                return new Answer(Ledger);
            }),
            services => services.AddTransient<Repository>());

        Assert.Equal("+Alpha -Alpha", await GetAsync("/"));
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task Teardown_Fails_IsTheRequestsExceptionAndACleanAnswer(Server server)
    {
        var refused = new NotSupportedException("no commit");
        await StartAsync(
            server,
            app =>
            {
                app.UseExceptionHandler(handler => handler.Run(context =>
                    context.Response.WriteAsync(context.Features.Get<IExceptionHandlerFeature>()!.Error.Message)));
                app.MapGet("/", async (IRequestResource<Gamma> gamma, IRequestResource<Beta> beta, CancellationToken aborted) =>
                {
                    await beta.GetAsync(aborted);
                    await gamma.GetAsync(aborted);
                    return "unsaid";
                });
            },
            services => AddFailing<Gamma>(services, refused));
        Host.Logs.Expect("UnhandledException");

        using var response = await Host.Client.GetAsync("/", Test);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("no commit", await response.Content.ReadAsStringAsync(Test));
        var rest = await Ledger.NextOutcomeAsync();
        Assert.Equal(ScopeOutcomeKind.ExceptionHandled, rest.Kind);
        Assert.Same(refused, rest.Exception);
        Assert.DoesNotContain(Host.Logs.Lines, line => line.Event.Name == "TeardownFailed");
    }

    [Fact]
    public async Task Teardowns_SeveralFail_AllAreInTheRequestsException()
    {
        await StartAsync(
            Server.Kestrel,
            app =>
            {
                Catch(app);
                app.MapGet("/", async (IServiceProvider services, CancellationToken aborted) =>
                {
                    await services.GetRequiredService<IRequestResource<Beta>>().GetAsync(aborted);
                    await services.GetRequiredKeyedService<IRequestResource<Gamma>>("first").GetAsync(aborted);
                    await services.GetRequiredService<IRequestResource<Alpha>>().GetAsync(aborted);
                    await services.GetRequiredKeyedService<IRequestResource<Gamma>>("second").GetAsync(aborted);
                    return "unsaid";
                });
            },
            services =>
            {
                AddFailing<Gamma>(services, new NotSupportedException("first"), "first");
                AddFailing<Gamma>(services, new NotSupportedException("second"), "second");
            });

        using var response = await Host.Client.GetAsync("/", Test);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        var all = Assert.IsType<AggregateException>(Thrown);
        Assert.Equal(["second", "first"], all.InnerExceptions.Select(failure => failure.Message));
        Assert.StartsWith("2 resources of scope 'HTTP: GET /' could not be torn down after its handler had returned.", all.Message);
        await Ledger.NextOutcomeAsync();
        await Ledger.NextOutcomeAsync();
        Assert.Equal("+Beta +Gamma +Alpha +Gamma -Gamma -Alpha -Gamma -Beta", string.Join(' ', Ledger.Events));
    }

    [Fact]
    public async Task Handler_Throws_ItsExceptionWinsAndTeardownFailuresAreLogged()
    {
        await StartAsync(
            Server.Kestrel,
            app =>
            {
                Catch(app, () => Ledger.Events.Enqueue("caught"));
                app.MapGet("/", async Task<string> (Resource<Alpha> alpha, IRequestResource<Gamma> gamma, CancellationToken aborted) =>
                {
                    await gamma.GetAsync(aborted);
                    throw new InvalidOperationException("handler");
                });
            },
            services => AddFailing<Gamma>(services, new NotSupportedException("teardown")));
        Host.Logs.Expect("TeardownFailed");

        using var response = await Host.Client.GetAsync("/", Test);

        Assert.Equal("handler", Thrown!.Message);
        Assert.Equal("+Alpha +Gamma -Gamma -Alpha caught", string.Join(' ', Ledger.Events));
        var outcome = await Ledger.NextOutcomeAsync();
        Assert.Equal(ScopeOutcomeKind.Faulted, outcome.Kind);
        Assert.Same(Thrown, outcome.Exception);
        Assert.Equal("teardown", Host.Logs.Only("TeardownFailed").Exception!.Message);
    }

    [Theory]
    [InlineData("/503")]
    [InlineData("/503-nested")]
    public async Task Result_IsAServerError_IsKnownBeforeItIsWritten(string path)
    {
        await StartAsync(Server.Kestrel, app =>
        {
            app.MapGet("/503", (Resource<Alpha> alpha) => Results.StatusCode(503));
            app.MapGet("/503-nested", Results<Ok, ProblemHttpResult> (Resource<Alpha> alpha) => TypedResults.Problem(statusCode: 503));
        });

        using var response = await Host.Client.GetAsync(path, Test);

        var outcome = await Ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, 503, false), (outcome.Kind, outcome.StatusCode, outcome.ShouldCommit));
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task Client_HasLeft_TeardownSeesTheAbort(Server server)
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await StartAsync(server, app => app.MapGet("/", async (Resource<Alpha> alpha, CancellationToken aborted) =>
        {
            var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = aborted.Register(gone.SetResult);
            entered.SetResult();
            await gone.Task;
            return "to nobody";
        }));
        using var leaving = new CancellationTokenSource();

        var request = Host.Client.GetAsync("/", leaving.Token);
        await entered.Task.Bounded();
        await leaving.CancelAsync();

        Assert.Equal(ScopeOutcomeKind.Aborted, (await Ledger.NextOutcomeAsync()).Kind);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
    }

    [Fact]
    public async Task Order_AfterHandlerResourcesFirst_EachKindNewestFirst()
    {
        await StartAsync(
            Server.Kestrel,
            app => app.MapGet("/", async (IRequestResource<Gamma> gamma, IRequestResource<Alpha> alpha, CancellationToken aborted) =>
            {
                await gamma.GetAsync(aborted);
                await alpha.GetAsync(aborted);
                return new Answer(Ledger);
            }),
            services => services.AddRequestScopedResource(
                async (context, token) =>
                {
                    // What ends with the handler may use what ends with the response.
                    await context.GetAsync<Beta>(token);
                    return Ledger.Create<Gamma>();
                },
                Ledger.TearDown).ReleaseAfterHandler());

        Assert.Equal("+Beta +Gamma +Alpha -Alpha -Gamma", await GetAsync("/"));

        for (var i = 0; i < 3; i++)
        {
            await Ledger.NextOutcomeAsync();
        }

        Assert.Equal("-Beta", Ledger.Events.Last());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dependency_OnWhatEndsEarlier_IsAnErrorThatNamesBoth(bool alreadyCreated)
    {
        Exception? thrown = null;
        await StartAsync(
            Server.Kestrel,
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha, IRequestResource<Gamma> gamma, CancellationToken aborted) =>
            {
                if (alreadyCreated)
                {
                    await alpha.GetAsync(aborted);
                }

                thrown = await Record.ExceptionAsync(() => gamma.GetAsync(aborted).AsTask());
            }),
            services => services.AddRequestScopedResource(async (context, token) =>
            {
                await context.GetAsync<Alpha>(token);
                return new Gamma();
            }));

        using var response = await Host.Client.GetAsync("/", Test);

        Assert.Equal(
            "Resource Gamma is torn down after the response, but its factory asked for Alpha, which is torn down before, after the handler. " +
            "Register Gamma with ReleaseAfterHandler() too, or Alpha without.",
            Assert.IsType<InvalidOperationException>(thrown).Message);
    }

    [Fact]
    public async Task GetAsync_AfterTheRelease_MakesANewObjectThatEndsWithTheRequest()
    {
        await StartAsync(Server.Kestrel, app => app.MapGet("/", async (IRequestResource<Alpha> alpha, CancellationToken aborted) =>
        {
            await alpha.GetAsync(aborted);
            return new LateUse(alpha, Ledger);
        }));

        Assert.Equal("+Alpha -Alpha +Alpha", await Host.Client.GetStringAsync("/", Test));

        var first = await Ledger.NextOutcomeAsync();
        var second = await Ledger.NextOutcomeAsync();
        Assert.Equal((false, true), (first.ResponseStarted, second.ResponseStarted));
        Assert.Equal("+Alpha -Alpha +Alpha -Alpha", string.Join(' ', Ledger.Events));
    }

    [Fact]
    public async Task Release_RunsInTheFlowThatCreatedTheResource()
    {
        var tenant = new AsyncLocal<string>();
        string? seen = null;
        await StartAsync(
            Server.Kestrel,
            app => app.MapGet("/", async (IRequestResource<Gamma> gamma, CancellationToken aborted) =>
            {
                tenant.Value = "acme";
                await gamma.GetAsync(aborted);
                return "done";
            }),
            services => services.AddRequestScopedResource<Gamma>((_, _) => new(new Gamma()), (_, _) =>
            {
                seen = tenant.Value;
                return default;
            }).ReleaseAfterHandler());

        Assert.Equal("done", await Host.Client.GetStringAsync("/", Test));

        Assert.Equal("acme", seen);
    }

    [Fact]
    public async Task Endpoint_ReleasesResourcesAfterHandler_AllOfThem()
    {
        await StartAsync(Server.Kestrel, app =>
        {
            var slow = app.MapGroup("/slow").ReleaseResourcesAfterHandler();
            slow.MapGet("/", UseBothAsync);
            app.MapGet("/fast", UseBothAsync);
        });

        Assert.Equal("+Beta +Alpha -Alpha -Beta", await GetAsync("/slow/"));
        Ledger.Events.Clear();
        Assert.Equal("+Beta +Alpha -Alpha", await GetAsync("/fast"));

        async Task<Answer> UseBothAsync(IRequestResource<Beta> beta, IRequestResource<Alpha> alpha, CancellationToken aborted)
        {
            await beta.GetAsync(aborted);
            await alpha.GetAsync(aborted);
            return new Answer(Ledger);
        }
    }

    private void AddFailing<T>(IServiceCollection services, Exception failure, string? name = null)
        where T : Tracked, new()
    {
        var builder = name is null
            ? services.AddRequestScopedResource((_, _) => ValueTask.FromResult(Ledger.Create<T>()), FailAsync)
            : services.AddRequestScopedResource(name, (_, _) => ValueTask.FromResult(Ledger.Create<T>()), FailAsync);
        builder.ReleaseAfterHandler();

        async ValueTask FailAsync(T tracked, TeardownContext context)
        {
            tracked.TearDown();
            Ledger.Events.Enqueue($"-{typeof(T).Name}");
            await Task.FromException(failure);
        }
    }

    public sealed class Repository(IRequestResource<Alpha> alpha)
    {
        public async Task UseAsync() => await alpha.GetAsync();
    }

    /// <summary>A result that asks for the resource while it is being written.</summary>
    private sealed class LateUse(IRequestResource<Alpha> alpha, Ledger ledger) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            await alpha.GetAsync(httpContext.RequestAborted);
            await httpContext.Response.WriteAsync(string.Join(' ', ledger.Events));
        }
    }
}
