using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;
using Barrier = ResilientHosting.Tests.Aborts.Barrier;

namespace ResilientHosting.Tests.Resources;

public sealed class DetachedTeardownTests : IAsyncDisposable
{
    private readonly Ledger _ledger = new();
    private readonly Barrier _entered = new();
    private readonly Barrier _release = new();
    private Func<Alpha, Barrier> _releaseOf;
    private ResourceTestHost? _host;

    public DetachedTeardownTests() => _releaseOf = _ => _release;

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KeepAlive_Detached_TheNextRequestIsAnsweredWhileTheTeardownRuns()
    {
        var host = await StartAsync(detach: true);
        await using var client = await ConnectAsync(host);

        await client.SendGetAsync("/use");
        Assert.Contains("used", await client.ReadUntilAsync("used"), StringComparison.Ordinal);
        await _entered.PassedAsync();
        await client.SendGetAsync("/next");

        Assert.Contains("answered", await client.ReadUntilAsync("answered"), StringComparison.Ordinal);
        Assert.Equal(["+Alpha", "next"], _ledger.Events);
        _release.Open();
        Assert.Equal((ScopeOutcomeKind.Succeeded, 200), await NextKindAndStatusAsync());
    }

    [Fact]
    public async Task KeepAlive_NotDetached_TheNextRequestWaitsForTheTeardown()
    {
        var host = await StartAsync(detach: false);
        await using var client = await ConnectAsync(host);

        await client.SendGetAsync("/use");
        await client.ReadUntilAsync("used");
        await _entered.PassedAsync();
        await client.SendGetAsync("/next");

        // Requests of other connections are answered meanwhile; that of this one is not.
        for (var i = 0; i < 20; i++)
        {
            await host.Client.GetStringAsync("/other", Test);
        }

        Assert.Equal(["+Alpha"], _ledger.Events);
        _release.Open();
        Assert.Contains("answered", await client.ReadUntilAsync("answered"), StringComparison.Ordinal);
        Assert.Equal(["+Alpha", "-Alpha", "next"], _ledger.Events);
    }

    [Fact]
    public async Task OlderResources_FollowBehindADetachedOne_NewerOnesDoNot()
    {
        var newest = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = await StartAsync(
            detach: true,
            services =>
            {
                services.AddTracked<Beta>(_ledger);
                services.AddRequestScopedResource<Gamma>((_, _) => new(_ledger.Create<Gamma>()), async (gamma, end) =>
                {
                    await _ledger.TearDown(gamma, end);
                    newest.SetResult();
                });
            },
            app => app.MapGet("/three", async (
                IRequestResource<Beta> older, IRequestResource<Alpha> detached, IRequestResource<Gamma> newer, CancellationToken aborted) =>
            {
                await older.GetAsync(aborted);
                await detached.GetAsync(aborted);
                await newer.GetAsync(aborted);
            }));

        await host.Client.GetStringAsync("/three", Test);
        await _entered.PassedAsync();

        Assert.True(newest.Task.IsCompleted);
        Assert.DoesNotContain("-Beta", _ledger.Events);
        _release.Open();
        await host.DisposeAsync();
        Assert.Equal(["-Gamma", "-Alpha", "-Beta"], _ledger.Events.Where(e => e[0] == '-'));
    }

    [Theory]
    [InlineData(Server.Kestrel)]
    [InlineData(Server.TestServer)]
    public async Task Exception_AnswerDoesNotWaitForADetachedTeardown(Server server)
    {
        var host = await StartAsync(detach: true, server: server);
        host.Logs.Expect("ApplicationError");

        // TestServer throws the application's exception, Kestrel answers 500: both while the teardown is still held.
        _ = await Record.ExceptionAsync(() => host.Client.GetStringAsync("/throw", Test));
        await _entered.PassedAsync();

        Assert.Equal(0, Assert.Single(_ledger.Created).Teardowns);
        _release.Open();
        Assert.Equal(ScopeOutcomeKind.Faulted, (await _ledger.NextOutcomeAsync()).Kind);
    }

    [Fact]
    public async Task Teardown_FindsExistingResourcesAndOwnServices_ButCreatesNothing()
    {
        var seen = new TaskCompletionSource<(bool SameBeta, bool ScopedAlive, Exception? New)>();
        ScopedProbe? ofRequest = null;
        var host = await StartAsync(
            detach: false,
            services =>
            {
                services.AddScoped<ScopedProbe>();
                services.AddTracked<Beta>(_ledger);
                services.AddRequestScopedResource<Gamma>((_, _) => new(_ledger.Create<Gamma>()), async (gamma, end) =>
                {
                    _entered.Open();
                    await _release.PassedAsync();
                    var beta = await end.Services.GetRequiredService<IRequestResource<Beta>>().GetAsync(end.Deadline);
                    var probe = end.Services.GetRequiredService<ScopedProbe>();
                    var refused = await Record.ExceptionAsync(
                        async () => await end.Services.GetRequiredService<IRequestResource<Alpha>>().GetAsync(end.Deadline));
                    await _ledger.TearDown(gamma, end);
                    seen.SetResult((beta.Teardowns == 0, !probe.Disposed && probe != ofRequest, refused));
                }).DetachTeardown();
            },
            app => app.MapGet("/detached", async (
                IRequestResource<Beta> beta, IRequestResource<Gamma> gamma, ScopedProbe probe, CancellationToken aborted) =>
            {
                ofRequest = probe;
                await beta.GetAsync(aborted);
                await gamma.GetAsync(aborted);
            }));

        await host.Client.GetStringAsync("/detached", Test);
        await _entered.PassedAsync();
        _release.Open();

        var (sameBeta, scopedAlive, refusal) = await seen.Task.Bounded();
        Assert.True(sameBeta && scopedAlive);
        Assert.Equal(
            "Resource Alpha cannot be created: its scope 'HTTP: GET /detached' is being torn down with outcome Succeeded. A teardown can use " +
            "what the scope has created before; what else it needs, its factory asks for. Work that outlives its scope opens its own " +
            "with RunInResourceScopeAsync or CreateResourceScope on the host's services, or takes the object along with Detach().",
            Assert.IsType<ResourceScopeClosedException>(refusal).Message);
    }

    [Fact]
    public async Task Lane_Full_TheTeardownIsWaitedFor()
    {
        var releaseOfTheSecond = new Barrier();
        _releaseOf = alpha => alpha == _ledger.Created.First() ? _release : releaseOfTheSecond;
        var host = await StartAsync(
            detach: true, services => services.Configure<RequestResourceOptions>(options => options.MaxDetachedTeardowns = 1));
        await host.Client.GetStringAsync("/use", Test);
        await _entered.PassedAsync();
        await using var client = await ConnectAsync(host);

        await client.SendGetAsync("/use");
        await client.ReadUntilAsync("used");
        await client.SendGetAsync("/next");
        for (var i = 0; i < 20; i++)
        {
            await host.Client.GetStringAsync("/other", Test);
        }

        Assert.Equal(["+Alpha", "+Alpha"], _ledger.Events);
        releaseOfTheSecond.Open();
        await client.ReadUntilAsync("answered");
        Assert.Equal(["+Alpha", "+Alpha", "-Alpha", "next"], _ledger.Events);
    }

    [Fact]
    public async Task Host_Stops_DrainsTheLaneBeforeItClosesWhatItOwns()
    {
        var host = await StartAsync(
            detach: true,
            services => services.AddRequestScopedResource<Beta>((_, _) => new(_ledger.Create<Beta>()), _ledger.TearDown).SharedPerHost(),
            app => app.MapGet("/shared", async (IRequestResource<Beta> beta, IRequestResource<Alpha> alpha, CancellationToken aborted) =>
            {
                await beta.GetAsync(aborted);
                await alpha.GetAsync(aborted);
            }));
        await host.Client.GetStringAsync("/shared", Test);
        await _entered.PassedAsync();

        var stopping = host.Services.GetRequiredService<IHost>().StopAsync(Test);
        Assert.DoesNotContain("-Beta", _ledger.Events);
        _release.Open();
        await stopping.Bounded();

        Assert.Equal(["-Alpha", "-Beta"], _ledger.Events.Where(e => e[0] == '-'));
    }

    [Fact]
    public async Task Failures_BeforeAndAfterDetaching_AreOneRecord()
    {
        var host = await StartAsync(
            detach: false,
            services =>
            {
                services.AddRequestScopedResource<Beta>((_, _) => new(new Beta()), (_, _) => throw new NotSupportedException("older"));
                services.AddRequestScopedResource<Gamma>((_, _) => new(new Gamma()), (_, _) => throw new NotSupportedException("detached"))
                    .DetachTeardown();
                services.AddRequestScopedResource<Alpha>("newest", (_, _) => new(new Alpha()), (_, _) => throw new NotSupportedException("newest"));
            },
            app => app.MapGet("/failing", async (
                IRequestResource<Beta> beta,
                IRequestResource<Gamma> gamma,
                [FromKeyedServices("newest")] IRequestResource<Alpha> alpha,
                CancellationToken aborted) =>
            {
                await beta.GetAsync(aborted);
                await gamma.GetAsync(aborted);
                await alpha.GetAsync(aborted);
            }));
        host.Logs.Expect("TeardownFailed");

        await host.Client.GetStringAsync("/failing", Test);
        await host.DisposeAsync();

        Assert.Equal(
            "3 of 3 resources of scope 'HTTP: GET /failing' could not be torn down: Alpha 'newest', Gamma, Beta.",
            host.Logs.Only("TeardownFailed").Message);
    }

    [Fact]
    public async Task ScopeOutsideARequest_WaitsForADetachedTeardown()
    {
        var (services, _) = ResourceTestHost.BuildServices(collection => collection
            .AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), HeldTeardownAsync).DetachTeardown());
        await using var root = services;
        var scope = root.CreateResourceScope("job");
        await scope.GetAsync<Alpha>(Test);

        var ending = scope.DisposeAsync();
        await _entered.PassedAsync();
        Assert.False(ending.IsCompleted);
        _release.Open();
        await ending.Bounded();
    }

    public async ValueTask DisposeAsync()
    {
        _release.Open();
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        _ledger.AssertBalanced();
    }

    private static async Task<RawHttpClient> ConnectAsync(ResourceTestHost host) => await RawHttpClient.ConnectAsync(host.Client.BaseAddress!);

    private async Task<(ScopeOutcomeKind Kind, int? Status)> NextKindAndStatusAsync()
    {
        var outcome = await _ledger.NextOutcomeAsync();
        return (outcome.Kind, outcome.StatusCode);
    }

    private async ValueTask HeldTeardownAsync(Alpha alpha, TeardownContext end)
    {
        _entered.Open();
        await _releaseOf(alpha).PassedAsync();
        await _ledger.TearDown(alpha, end);
    }

    private async Task<ResourceTestHost> StartAsync(
        bool detach, Action<IServiceCollection>? services = null, Action<WebApplication>? app = null, Server server = Server.Kestrel) =>
        _host = await ResourceTestHost.StartAsync(
            server,
            collection =>
            {
                var alpha = collection.AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), HeldTeardownAsync);
                _ = detach ? alpha.DetachTeardown() : alpha;
                services?.Invoke(collection);
            },
            built =>
            {
                built.MapGet("/use", async (IRequestResource<Alpha> alpha, CancellationToken aborted) =>
                {
                    await alpha.GetAsync(aborted);
                    return "used";
                });
                built.MapGet("/throw", async Task<string> (IRequestResource<Alpha> alpha, CancellationToken aborted) =>
                {
                    await alpha.GetAsync(aborted);
                    throw new InvalidOperationException("thrown by the handler");
                });
                built.MapGet("/next", () =>
                {
                    _ledger.Events.Enqueue("next");
                    return "answered";
                });
                built.MapGet("/other", () => "other");
                app?.Invoke(built);
            });

    private sealed class ScopedProbe : IDisposable
    {
        public bool Disposed { get; private set; }

        public void Dispose() => Disposed = true;
    }
}
