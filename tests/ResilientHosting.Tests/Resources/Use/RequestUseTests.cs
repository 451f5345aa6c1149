using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

/// <summary>How handlers, controllers and services get at the resources of their request.</summary>
public sealed class RequestUseTests : IAsyncDisposable
{
    private readonly Ledger _ledger = new();
    private ResourceTestHost? _host;

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ResourceParameter_IsCreatedBeforeTheHandlerRuns()
    {
        await StartAsync(app => app.MapGet("/", (Resource<Alpha> alpha, IRequestResource<Alpha> same) =>
        {
            Assert.True(same.TryGet(out var created));
            Assert.Same(created, alpha.Value);
            return "bound";
        }));

        Assert.Equal("bound", await _host!.Client.GetStringAsync("/", Test));
        Assert.Equal(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);
    }

    [Fact]
    public async Task ResourceParameter_NotRegistered_NamesTheCallThatIsMissing()
    {
        Exception? thrown = null;
        await StartAsync(app =>
        {
            app.Use(async (context, next) =>
            {
                thrown = await Record.ExceptionAsync(() => next(context));
                context.Response.StatusCode = 500;
            });
            app.MapGet("/", (Resource<Gamma> gamma) => "unreachable");
        });

        using var response = await _host!.Client.GetAsync("/", Test);

        Assert.Equal(
            "No request-scoped resource Gamma is registered. Register it with services.AddRequestScopedResource<Gamma>(…).",
            Assert.IsType<InvalidOperationException>(thrown).Message);
    }

    [Fact]
    public async Task ResourceParameter_OfAnExhaustedPool_CanBeAnsweredWith503()
    {
        await using var kestrel = await KestrelTestHost.StartAsync(
            app =>
            {
                app.UseExceptionHandler(new ExceptionHandlerOptions
                {
                    StatusCodeSelector = exception => exception is ResourceAcquireTimeoutException ? 503 : 500,
                });
                app.MapGet("/", (Resource<Alpha> alpha) => "unreachable");
            },
            builder => builder.Services
                .AddProblemDetails()
                .AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), _ledger.TearDown)
                .UsePool(pool => (pool.MaxSize, pool.MaxWaiters) = (1, 0)));
        kestrel.Logs.Expect("UnhandledException").Expect("CreationFailed");
        await using var holder = kestrel.App.Services.CreateResourceScope("holder");
        await holder.GetAsync<Alpha>(Test);

        using var response = await kestrel.Client.GetAsync("/", Test);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
    }

    [Fact]
    public async Task NamedResource_IsInjectedByKey()
    {
        await StartAsync(app => app.MapGet("/", async (
            [FromKeyedServices("named")] IRequestResource<Alpha> named, IRequestResource<Alpha> unnamed, CancellationToken aborted) =>
        {
            Assert.NotSame(await named.GetAsync(aborted), await unnamed.GetAsync(aborted));
            return "two";
        }));

        Assert.Equal("two", await _host!.Client.GetStringAsync("/", Test));
    }

    [Fact]
    public async Task Controller_AndItsServices_ShareTheResourceOfTheRequest()
    {
        await StartAsync(
            app => app.MapControllers(),
            services =>
            {
                services.AddControllers().AddApplicationPart(typeof(AlphaController).Assembly);
                services.AddTransient<Repository>();
            });

        Assert.Equal("same", await _host!.Client.GetStringAsync("/alpha-controller", Test));
        await _ledger.NextOutcomeAsync();
        Assert.Single(_ledger.Created);
    }

    [Fact]
    public async Task Factory_SeesRequestServicesAndScopeName()
    {
        var seen = new TaskCompletionSource<(string? Path, string Name, bool SameServices)>();
        await StartAsync(
            app => app.MapGet("/items/{id}", async (IRequestResource<Beta> beta, CancellationToken aborted) => await beta.GetAsync(aborted) is null),
            services => services.AddRequestScopedResource<Beta>((context, _) =>
            {
                var http = context.HttpContext!;
                seen.SetResult((http.Request.Path, context.ScopeName, ReferenceEquals(http.RequestServices, context.Services)));
                return new(new Beta());
            }));

        await _host!.Client.GetStringAsync("/items/7", Test);

        Assert.Equal(("/items/7", "HTTP: GET /items/{id}", true), await seen.Task.Bounded());
    }

    [Fact]
    public async Task ServiceScopeInsideARequest_EndsBeforeTheRequestDoes()
    {
        await StartAsync(app => app.MapGet("/", async (IServiceProvider services, IRequestResource<Alpha> outer, CancellationToken aborted) =>
        {
            var outside = await outer.GetAsync(aborted);
            await using (var scope = services.CreateAsyncScope())
            {
                Assert.NotSame(outside, await scope.ServiceProvider.GetRequiredService<IRequestResource<Alpha>>().GetAsync(aborted));
            }

            Assert.Equal(["+Alpha", "+Alpha", "-Alpha"], _ledger.Events);
            Assert.Equal(0, outside.Teardowns);
            return "nested";
        }));

        Assert.Equal("nested", await _host!.Client.GetStringAsync("/", Test));
        Assert.Equal(ScopeOutcomeKind.Abandoned, (await _ledger.NextOutcomeAsync()).Kind);
        Assert.Equal(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);
    }

    [Fact]
    public async Task Unused_InjectedResource_LeavesNoTraceOnTheRequest()
    {
        var attached = new TaskCompletionSource<bool>();
        await StartAsync(app => app.MapGet("/", (HttpContext context, IRequestResource<Alpha> alpha) =>
            attached.SetResult(alpha.IsCreated || ResourceStack.Of(context) is not null)));

        await _host!.Client.GetStringAsync("/", Test);

        Assert.False(await attached.Task.Bounded());
        Assert.Empty(_ledger.Created);
    }

    [Fact]
    public async Task ReleaseAsync_InsideTheRequest_KnowsTheRequestSoFar()
    {
        await StartAsync(app => app.MapGet("/", async (HttpContext context, IRequestResource<Alpha> alpha) =>
        {
            await alpha.GetAsync(context.RequestAborted);
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            await alpha.ReleaseAsync();
        }));

        using var response = await _host!.Client.GetAsync("/", Test);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, 202, false), (outcome.Kind, outcome.StatusCode, outcome.ResponseStarted));
    }

    [Fact]
    public async Task Teardown_FailsAfterTheResponse_IsLoggedAndTheServerGoesOn()
    {
        await StartAsync(
            app => app.MapGet("/", async (IRequestResource<Beta> beta, CancellationToken aborted) =>
            {
                await beta.GetAsync(aborted);
                return "fine";
            }),
            services => services.AddRequestScopedResource<Beta>((_, _) => new(new Beta()), (_, _) => throw new NotSupportedException("late")));
        _host!.Logs.Expect("TeardownFailed");

        Assert.Equal("fine", await _host.Client.GetStringAsync("/", Test));
        Assert.Equal("fine", await _host.Client.GetStringAsync("/", Test));

        await _host.DisposeAsync();
        Assert.Equal(2, _host.Logs.Lines.Count(line => line.Event.Name == "TeardownFailed"));
        Assert.All(
            _host.Logs.Problems,
            line => Assert.Equal("1 of 1 resources of scope 'HTTP: GET /' could not be torn down: Beta.", line.Message));
        _host = null;
    }

    [Fact]
    public async Task Abort_AfterThePipelineEnded_DoesNotChangeTheOutcome()
    {
        await StartAsync(app =>
        {
            app.Use(async (context, next) =>
            {
                // Completed callbacks run last-in first-out: this one, registered after the resource's, hangs up before it.
                await next(context);
                context.Response.OnCompleted(() =>
                {
                    context.Features.Set<IHttpRequestLifetimeFeature>(new AbortedLifetime());
                    return Task.CompletedTask;
                });
            });
            app.MapGet("/", async (IRequestResource<Alpha> alpha, CancellationToken aborted) =>
            {
                await alpha.GetAsync(aborted);
                return "delivered";
            });
        });

        Assert.Equal("delivered", await _host!.Client.GetStringAsync("/", Test));

        Assert.Equal(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);
    }

    [Fact]
    public async Task ExceptionHandler_ThrowsItself_IsFaultedNotHandled()
    {
        await StartAsync(app =>
        {
            app.UseExceptionHandler(handler => handler.Run(_ => throw new NotSupportedException("handler is broken too")));
            app.MapGet("/", async Task<string> (IRequestResource<Alpha> alpha, CancellationToken aborted) =>
            {
                await alpha.GetAsync(aborted);
                throw new InvalidOperationException("first");
            });
        });
        _host!.Logs.Expect("UnhandledException").Expect("Exception").Expect("ApplicationError");

        using var response = await _host.Client.GetAsync("/", Test);

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Faulted, 500), (outcome.Kind, outcome.StatusCode));
        Assert.Equal("first", outcome.Exception!.Message);
    }

    [Fact]
    public async Task HostStop_CutsARequestOff_IsHostStopping()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var kestrel = await KestrelTestHost.StartAsync(
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha, CancellationToken aborted) =>
            {
                await alpha.GetAsync(CancellationToken.None);
                entered.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, aborted);
            }),
            builder => builder.Services.AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), _ledger.TearDown));

        var request = kestrel.Client.GetAsync("/", Test);
        await entered.Task.Bounded();
        // A stop without patience: Kestrel cuts the connections off.
        await kestrel.App.StopAsync(new CancellationToken(canceled: true)).Bounded();

        Assert.Equal(ScopeOutcomeKind.HostStopping, (await _ledger.NextOutcomeAsync()).Kind);
        _ = await Record.ExceptionAsync(() => request);
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        _ledger.AssertBalanced();
    }

    private async Task StartAsync(Action<WebApplication> app, Action<IServiceCollection>? services = null) =>
        _host = await ResourceTestHost.StartAsync(
            Server.Kestrel,
            collection =>
            {
                collection.AddTracked<Alpha>(_ledger);
                collection.AddRequestScopedResource<Alpha>("named", (_, _) => new(_ledger.Create<Alpha>()), _ledger.TearDown);
                services?.Invoke(collection);
            },
            app);

    private sealed class AbortedLifetime : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted { get; set; } = new(canceled: true);

        public void Abort()
        {
        }
    }

    public sealed class Repository(IRequestResource<Alpha> alpha)
    {
        public ValueTask<Alpha> GetAsync(CancellationToken cancellationToken) => alpha.GetAsync(cancellationToken);
    }
}

[ApiController, Route("alpha-controller")]
public sealed class AlphaController(IRequestResource<Alpha> alpha, RequestUseTests.Repository repository) : ControllerBase
{
    [HttpGet]
    public async Task<string> GetAsync(CancellationToken aborted) =>
        ReferenceEquals(await alpha.GetAsync(aborted), await repository.GetAsync(aborted)) ? "same" : "different";
}
