using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Aborts;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Aborts;
using ResilientHosting.Tests.Infrastructure;
using Barrier = ResilientHosting.Tests.Aborts.Barrier;

namespace ResilientHosting.Tests.Resources;

/// <summary>With client-abort tolerance in the pipeline, an outcome says what became of the work, not just that the client has gone.</summary>
public sealed class AbortedRequestTests : IAsyncDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);
    private static readonly InvalidOperationException Thrown = new("thrown by the handler");

    private readonly Ledger _ledger = new();
    private readonly ManualTimeProvider _clock = new();
    private readonly Barrier _started = new();
    private readonly Barrier _abortSeen = new();
    private readonly Barrier _release = new();
    private KestrelTestHost? _host;

    [Theory]
    [InlineData("/complete", Departure.Fin)]
    [InlineData("/complete", Departure.Rst)]
    [InlineData("/run", Departure.Fin)]
    [InlineData("/run", Departure.Rst)]
    public async Task CompletingPolicy_WorkFinishesWithoutItsClient_Succeeds(string path, Departure departure)
    {
        var host = await StartAsync(app =>
        {
            app.MapGet("/complete", WorkAsync).CompleteOnClientAbort(Within);
            app.MapGet("/run", WorkAsync).RunToCompletionOnClientAbort();
        });

        await LeaveAsync(host, path, departure);
        _release.Open();

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, true), (outcome.Kind, outcome.ShouldCommit));
    }

    [Fact]
    public async Task CompletingPolicy_TimeIsOver_IsAborted()
    {
        var host = await StartAsync(app => app.MapGet("/", async (HttpContext context, IRequestResource<Alpha> alpha, CancellationToken work) =>
        {
            await WorkAsync(context, alpha);
            await AbortTestApp.UntilAsync(work);
        }).CompleteOnClientAbort(Within));

        await LeaveAsync(host, "/", Departure.Rst);
        _release.Open();
        _clock.Advance(Within);

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Aborted, false), (outcome.Kind, outcome.ShouldCommit));
        Assert.IsAssignableFrom<OperationCanceledException>(outcome.Exception);
    }

    [Fact]
    public async Task CompletingPolicy_WorkFailsWithoutItsClient_IsFaulted()
    {
        var host = await StartAsync(app => app.MapGet("/", async Task (HttpContext context, IRequestResource<Alpha> alpha) =>
        {
            await WorkAsync(context, alpha);
            throw Thrown;
        }).RunToCompletionOnClientAbort());
        host.Logs.Expect("ApplicationError");

        await LeaveAsync(host, "/", Departure.Fin);
        _release.Open();

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal(ScopeOutcomeKind.Faulted, outcome.Kind);
        Assert.Same(Thrown, outcome.Exception);
    }

    [Theory]
    [InlineData("/honoured")]
    [InlineData("/ignored")]
    public async Task CancellingPolicy_ClientLeaves_IsAborted(string path)
    {
        var host = await StartAsync(app =>
        {
            app.MapGet("/ignored", WorkAsync);
            app.MapGet("/honoured", async (HttpContext context, IRequestResource<Alpha> alpha, CancellationToken work) =>
            {
                await WorkAsync(context, alpha);
                work.ThrowIfCancellationRequested();
            });
        });

        await LeaveAsync(host, path, Departure.Fin);
        _release.Open();

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Aborted, false), (outcome.Kind, outcome.ShouldCommit));
    }

    [Fact]
    public async Task Client_LeavesAfterTheToleranceHasEnded_ChangesNothing()
    {
        var serverSawIt = new Barrier();
        var host = await StartAsync(
            app => app.MapGet("/", (IRequestResource<Alpha> alpha) => CreateAsync(alpha)),
            outside: async (context, next) =>
            {
                await using var gone = context.RequestAborted.Register(serverSawIt.Open);
                await next(context);
                _started.Open();
                await serverSawIt.PassedAsync();
            });

        await using (var client = await RawHttpClient.ConnectAsync(host.Address))
        {
            await client.SendGetAsync("/");
            await _started.PassedAsync();
            client.Leave(Departure.Rst);
        }

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, true), (outcome.Kind, outcome.ShouldCommit));
    }

    [Fact]
    public async Task HostShutdown_CutsTheWork_IsHostStopping()
    {
        var host = await StartAsync(
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha, CancellationToken work) =>
            {
                await CreateAsync(alpha);
                _started.Open();
                await AbortTestApp.UntilAsync(work);
            }),
            services: services => services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(50)));
        await using var client = await RawHttpClient.ConnectAsync(host.Address);
        await client.SendGetAsync("/");
        await _started.PassedAsync();

        await host.StopAsync();

        Assert.Equal(ScopeOutcomeKind.HostStopping, (await _ledger.NextOutcomeAsync()).Kind);
    }

    [Theory]
    [InlineData("/obeys", ScopeOutcomeKind.Aborted, 504)]
    [InlineData("/obeys-after-the-start", ScopeOutcomeKind.Faulted, 200)]
    [InlineData("/ignores", ScopeOutcomeKind.Succeeded, 200)]
    public async Task RequestTimeout_ClientStays_IsWhatItWasAnswered(string path, ScopeOutcomeKind kind, int status)
    {
        var host = await StartAsync(
            app =>
            {
                app.MapGet("/obeys", (CancellationToken work) => AbortTestApp.UntilAsync(work));
                app.MapGet("/obeys-after-the-start", async (HttpContext context, CancellationToken work) =>
                {
                    await context.Response.StartAsync(CancellationToken.None);
                    await AbortTestApp.UntilAsync(work);
                });
                app.MapGet("/ignores", async (CancellationToken work) =>
                {
                    await AbortTestApp.SignalledAsync(work);
                    return "done";
                });
            },
            services: services => services.AddRequestTimeouts(options =>
                options.DefaultPolicy = new RequestTimeoutPolicy { Timeout = TimeSpan.FromMilliseconds(20) }),
            outermost: app => app.Use(CreateFirst).UseRequestTimeouts());
        host.Logs.Expect("TimeoutExceptionHandled").Expect("ApplicationError");

        await using var client = await RawHttpClient.ConnectAsync(host.Address);
        await client.SendGetAsync(path);

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((kind, status, kind == ScopeOutcomeKind.Succeeded), (outcome.Kind, outcome.StatusCode, outcome.ShouldCommit));

        // Before the time-out is set: it runs on the real clock, and might be over before a handler had created anything.
        static async Task CreateFirst(HttpContext context, RequestDelegate next)
        {
            await CreateAsync(context.RequestServices.GetRequiredService<IRequestResource<Alpha>>());
            await next(context);
        }
    }

    [Theory]
    [InlineData("/throws", ScopeOutcomeKind.Faulted)]
    [InlineData("/returns", ScopeOutcomeKind.Aborted)]
    public async Task Application_AbortsTheRequest_DoesNotCommit(string path, ScopeOutcomeKind kind)
    {
        var host = await StartAsync(app =>
        {
            app.MapGet("/returns", async (HttpContext context, IRequestResource<Alpha> alpha) =>
            {
                await CreateAsync(alpha);
                context.Abort();
            });
            app.MapGet("/throws", async (HttpContext context, IRequestResource<Alpha> alpha, CancellationToken work) =>
            {
                await CreateAsync(alpha);
                context.Abort();
                await AbortTestApp.UntilAsync(work);
            });
        });

        await using var client = await RawHttpClient.ConnectAsync(host.Address);
        await client.SendGetAsync(path);

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((kind, false), (outcome.Kind, outcome.ShouldCommit));
    }

    public async ValueTask DisposeAsync()
    {
        // Only a stopped host has had the time for a second teardown.
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        _ledger.AssertBalanced();
    }

    private static async Task CreateAsync(IRequestResource<Alpha> alpha) => await alpha.GetAsync(CancellationToken.None);

    private async Task WorkAsync(HttpContext context, IRequestResource<Alpha> alpha)
    {
        await CreateAsync(alpha);
        _started.Open();
        await AbortTestApp.SignalledAsync(context.Features.GetRequiredFeature<IClientAbortFeature>().ClientAborted);
        _abortSeen.Open();
        await _release.PassedAsync();
    }

    private async Task LeaveAsync(KestrelTestHost host, string path, Departure departure)
    {
        await using var client = await RawHttpClient.ConnectAsync(host.Address);
        await client.SendGetAsync(path);
        await _started.PassedAsync();
        client.Leave(departure);
        await _abortSeen.PassedAsync();
    }

    private async Task<KestrelTestHost> StartAsync(
        Action<WebApplication> map,
        Action<IServiceCollection>? services = null,
        Func<HttpContext, RequestDelegate, Task>? outside = null,
        Action<WebApplication>? outermost = null) => _host = await KestrelTestHost.StartAsync(
        app =>
        {
            outermost?.Invoke(app);
            if (outside is not null)
            {
                app.Use(outside);
            }

            app.UseClientAbortTolerance();
            map(app);
        },
        builder =>
        {
            builder.Services.AddSingleton<TimeProvider>(_clock);
            builder.Services.AddTracked<Alpha>(_ledger);
            services?.Invoke(builder.Services);
        });
}
