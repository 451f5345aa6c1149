using System.Net;
using System.Net.Http.Json;
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
public sealed class ReleaseAfterHandlerTests : IAsyncDisposable
{
    private readonly Ledger _ledger = new();
    private ResourceTestHost? _host;

    public static TheoryData<Server> Servers => [Server.Kestrel, Server.TestServer];

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Servers))]
    public async Task Resource_IsTornDownBeforeTheResultIsWritten(Server server)
    {
        await StartAsync(server, app => app.MapGet("/", UseAlphaAsync));

        Assert.Equal("+Alpha -Alpha", await GetAsync("/"));

        var outcome = await _ledger.NextOutcomeAsync();
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
                return new Answer(_ledger);
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
        _host!.Logs.Expect("UnhandledException");

        using var response = await _host.Client.GetAsync("/", Test);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("no commit", await response.Content.ReadAsStringAsync(Test));
        var rest = await _ledger.NextOutcomeAsync();
        Assert.Equal(ScopeOutcomeKind.ExceptionHandled, rest.Kind);
        Assert.Same(refused, rest.Exception);
        Assert.DoesNotContain(_host.Logs.Lines, line => line.Event.Name == "TeardownFailed");
    }

    [Fact]
    public async Task Teardowns_SeveralFail_AllAreInTheRequestsException()
    {
        Exception? thrown = null;
        await StartAsync(
            Server.Kestrel,
            app =>
            {
                app.Use(async (context, next) =>
                {
                    thrown = await Record.ExceptionAsync(() => next(context));
                    context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                });
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

        using var response = await _host!.Client.GetAsync("/", Test);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        var all = Assert.IsType<AggregateException>(thrown);
        Assert.Equal(["second", "first"], all.InnerExceptions.Select(failure => failure.Message));
        Assert.StartsWith("2 resources of scope 'HTTP: GET /' could not be torn down after its handler had returned.", all.Message);
        await _ledger.NextOutcomeAsync();
        await _ledger.NextOutcomeAsync();
        Assert.Equal("+Beta +Gamma +Alpha +Gamma -Gamma -Alpha -Gamma -Beta", string.Join(' ', _ledger.Events));
    }

    [Fact]
    public async Task Handler_Throws_ItsExceptionWinsAndTeardownFailuresAreLogged()
    {
        Exception? thrown = null;
        await StartAsync(
            Server.Kestrel,
            app =>
            {
                app.Use(async (context, next) =>
                {
                    thrown = await Record.ExceptionAsync(() => next(context));
                    _ledger.Events.Enqueue("caught");
                    context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                });
                app.MapGet("/", async Task<string> (Resource<Alpha> alpha, IRequestResource<Gamma> gamma, CancellationToken aborted) =>
                {
                    await gamma.GetAsync(aborted);
                    throw new InvalidOperationException("handler");
                });
            },
            services => AddFailing<Gamma>(services, new NotSupportedException("teardown")));
        _host!.Logs.Expect("TeardownFailed");

        using var response = await _host.Client.GetAsync("/", Test);

        Assert.Equal("handler", thrown!.Message);
        Assert.Equal("+Alpha +Gamma -Gamma -Alpha caught", string.Join(' ', _ledger.Events));
        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal(ScopeOutcomeKind.Faulted, outcome.Kind);
        Assert.Same(thrown, outcome.Exception);
        Assert.Equal("teardown", _host.Logs.Only("TeardownFailed").Exception!.Message);
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

        using var response = await _host!.Client.GetAsync(path, Test);

        var outcome = await _ledger.NextOutcomeAsync();
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

        var request = _host!.Client.GetAsync("/", leaving.Token);
        await entered.Task.Bounded();
        await leaving.CancelAsync();

        Assert.Equal(ScopeOutcomeKind.Aborted, (await _ledger.NextOutcomeAsync()).Kind);
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
                return new Answer(_ledger);
            }),
            services => services.AddRequestScopedResource(
                async (context, token) =>
                {
                    // What ends with the handler may use what ends with the response.
                    await context.GetAsync<Beta>(token);
                    return _ledger.Create<Gamma>();
                },
                _ledger.TearDown).ReleaseAfterHandler());

        Assert.Equal("+Beta +Gamma +Alpha -Alpha -Gamma", await GetAsync("/"));

        for (var i = 0; i < 3; i++)
        {
            await _ledger.NextOutcomeAsync();
        }

        Assert.Equal("-Beta", _ledger.Events.Last());
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

        using var response = await _host!.Client.GetAsync("/", Test);

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
            return new LateUse(alpha, _ledger);
        }));

        Assert.Equal("+Alpha -Alpha +Alpha", await _host!.Client.GetStringAsync("/", Test));

        var first = await _ledger.NextOutcomeAsync();
        var second = await _ledger.NextOutcomeAsync();
        Assert.Equal((false, true), (first.ResponseStarted, second.ResponseStarted));
        Assert.Equal("+Alpha -Alpha +Alpha -Alpha", string.Join(' ', _ledger.Events));
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

        Assert.Equal("done", await _host!.Client.GetStringAsync("/", Test));

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
        _ledger.Events.Clear();
        Assert.Equal("+Beta +Alpha -Alpha", await GetAsync("/fast"));

        async Task<Answer> UseBothAsync(IRequestResource<Beta> beta, IRequestResource<Alpha> alpha, CancellationToken aborted)
        {
            await beta.GetAsync(aborted);
            await alpha.GetAsync(aborted);
            return new Answer(_ledger);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        _ledger.AssertBalanced();
    }

    private async Task<Answer> UseAlphaAsync(IRequestResource<Alpha> alpha, CancellationToken aborted)
    {
        await alpha.GetAsync(aborted);
        return new Answer(_ledger);
    }

    private async Task<string> GetAsync(string path) =>
        (await _host!.Client.GetFromJsonAsync<Dictionary<string, string>>(path, Test))!["events"];

    private async Task StartAsync(
        Server server, Action<WebApplication> app, Action<IServiceCollection>? services = null, string environment = "Production") =>
        _host = await ResourceTestHost.StartAsync(
            server,
            collection =>
            {
                collection.AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), _ledger.TearDown).ReleaseAfterHandler();
                collection.AddTracked<Beta>(_ledger);
                services?.Invoke(collection);
            },
            app,
            environment);

    private void AddFailing<T>(IServiceCollection services, Exception failure, string? name = null)
        where T : Tracked, new()
    {
        var builder = name is null
            ? services.AddRequestScopedResource((_, _) => ValueTask.FromResult(_ledger.Create<T>()), FailAsync)
            : services.AddRequestScopedResource(name, (_, _) => ValueTask.FromResult(_ledger.Create<T>()), FailAsync);
        builder.ReleaseAfterHandler();

        async ValueTask FailAsync(T tracked, TeardownContext context)
        {
            tracked.TearDown();
            _ledger.Events.Enqueue($"-{typeof(T).Name}");
            await Task.FromException(failure);
        }
    }

    /// <summary>A result that says what had happened when it was written.</summary>
    public sealed class Answer(Ledger ledger)
    {
        public string Events => string.Join(' ', ledger.Events);
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
