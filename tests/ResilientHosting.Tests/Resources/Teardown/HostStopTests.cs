using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Sample;
using Barrier = ResilientHosting.Tests.Aborts.Barrier;

namespace ResilientHosting.Tests.Resources;

/// <summary>A host that stops: open scopes first, then what it owns, then its container.</summary>
public sealed class HostStopTests
{
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(7);

    private readonly Ledger _ledger = new();
    private readonly SignallingClock _clock = new();
    private readonly Barrier _entered = new();
    private readonly Barrier _release = new();

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Server.Kestrel)]
    [InlineData(Server.TestServer)]
    public async Task Request_IgnoresTheStop_GetsTheDrainTimeoutAndIsThenCutOff(Server server)
    {
        await using var host = await StartAsync(server);
        host.Logs.Expect("ScopesOutliveHost").Expect("ApplicationError");
        var request = host.Client.GetAsync("/", Test);
        await _entered.PassedAsync();

        // A stop without patience: the server gives up on its connections at once, and the handler does not care.
        var stopping = Stop(host, impatient: true);
        await _clock.WaitForTimerAsync(Drain);
        _clock.Advance(Drain - TimeSpan.FromTicks(1));
        Assert.DoesNotContain(_ledger.Events, entry => entry[0] == '-');
        _clock.Advance(TimeSpan.FromTicks(1));
        await stopping;

        // The request's own object first, then the pool it was made from, then the shared object, which the pool was made from.
        Assert.Equal(["-Gamma", "-Beta", "-Alpha"], _ledger.Events.Where(entry => entry[0] == '-'));
        Assert.Equal(ScopeOutcomeKind.HostStopping, (await _ledger.NextOutcomeAsync()).Kind);
        var warning = host.Logs.Only("ScopesOutliveHost");
        Assert.Equal(LogLevel.Warning, warning.Level);
        Assert.Equal(
            "1 scopes had not ended when the host closed its resources: HTTP: GET /. Theirs are torn down while in use. Such work should " +
            "observe its cancellation token; how long a host waits when it stops is RequestResourceOptions.DrainTimeout.",
            warning.Message);

        _release.Open();
        _ = await Record.ExceptionAsync(() => request);
        _ledger.AssertBalanced();
    }

    [Theory]
    [InlineData(Server.Kestrel)]
    [InlineData(Server.TestServer)]
    public async Task Request_EndsWithinTheDrainTimeout_IsNotCutOff(Server server)
    {
        await using var host = await StartAsync(server);
        host.Logs.Expect("ApplicationError");
        var request = host.Client.GetAsync("/", Test);
        await _entered.PassedAsync();

        var stopping = Stop(host, impatient: true);
        await _clock.WaitForTimerAsync(Drain);
        _release.Open();
        await stopping;

        Assert.Equal(["-Gamma", "-Beta", "-Alpha"], _ledger.Events.Where(entry => entry[0] == '-'));
        Assert.DoesNotContain(host.Logs.Lines, line => line.Event.Name == "ScopesOutliveHost");
        _ = await Record.ExceptionAsync(() => request);
    }

    [Fact]
    public async Task WhatTheHostOwns_IsClosedBeforeSingletonsAreDisposed()
    {
        await using (var host = await StartAsync(Server.Kestrel))
        {
            _release.Open();
            await host.Client.GetStringAsync("/", Test);
        }

        Assert.Equal(["-Gamma", "-Beta", "-Alpha", "singleton disposed"], _ledger.Events.TakeLast(4));
        _ledger.AssertBalanced();
    }

    [Fact]
    public async Task Host_DisposedWithoutBeingStopped_ClosesOpenScopesAndWhatItOwns()
    {
        var (services, logs) = BuildServices();
        _ = services.GetServices<IHostedService>().ToList();
        var scope = services.CreateResourceScope("job");
        await scope.GetAsync<Gamma>(Test);
        logs.Expect("ScopesOutliveHost");

        await services.DisposeAsync();

        _ledger.AssertBalanced();
        Assert.Equal(["-Gamma", "-Beta", "-Alpha"], _ledger.Events.Where(entry => entry[0] == '-'));
        Assert.Contains("job", logs.Only("ScopesOutliveHost").Message, StringComparison.Ordinal);
        await scope.DisposeAsync();
        _ledger.AssertBalanced();
        logs.AssertQuiet();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Stop_Repeated_InAnyOrder_ClosesOnce(bool stopFirst)
    {
        var (services, logs) = BuildServices();
        var host = services.GetRequiredService<HostScope>();
        await services.RunInResourceScopeAsync("job", async (scope, token) => await scope.GetAsync<Gamma>(token), Test);

        Func<Task>[] ends = [() => host.StoppedAsync(Test), () => host.DisposeAsync().AsTask()];
        foreach (var end in stopFirst ? ends.Concat(ends) : ends.Reverse().Concat(ends))
        {
            await end().Bounded();
        }

        await services.DisposeAsync();
        _ledger.AssertBalanced();
        Assert.Equal(3, _ledger.Events.Count(entry => entry[0] == '-'));
        logs.AssertQuiet();
    }

    [Fact]
    public async Task Creation_InFlightWhenAScopeIsCutOff_IsCancelledAndItsCallerTold()
    {
        var (services, logs) = ResourceTestHost.BuildServices(
            collection =>
            {
                collection.Configure<RequestResourceOptions>(options => options.DrainTimeout = Drain);
                collection.AddRequestScopedResource<Alpha>(async (_, token) =>
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
                    return new Alpha();
                });
            },
            _clock);
        await using var root = services;
        logs.Expect("ScopesOutliveHost");
        var scope = root.CreateResourceScope("job");
        var waiting = scope.GetAsync<Alpha>(Test).AsTask();

        var stopping = root.GetRequiredService<HostScope>().StoppedAsync(Test);
        _clock.Advance(Drain);
        await stopping.Bounded();

        var exception = await Assert.ThrowsAsync<ResourceScopeClosedException>(() => waiting.Bounded());
        Assert.Equal(("job", ScopeOutcomeKind.HostStopping), (exception.ScopeName, exception.Outcome.Kind));
        logs.AssertQuiet();
    }

    [Fact]
    public async Task Creation_OfASharedObjectInFlight_IsWaitedForBeforeWhatItIsMadeFrom()
    {
        var (services, logs) = ResourceTestHost.BuildServices(
            collection =>
            {
                collection.AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), _ledger.TearDown).SharedPerHost();
                collection.AddRequestScopedResource<Beta>(
                    async (context, token) =>
                    {
                        await context.GetAsync<Alpha>(token);
                        _entered.Open();
                        await _release.PassedAsync();
                        return _ledger.Create<Beta>();
                    },
                    _ledger.TearDown).SharedPerHost();
            },
            _clock);
        await using var root = services;
        var scope = root.CreateResourceScope("job");
        var waiting = scope.GetAsync<Beta>(Test).AsTask();
        await _entered.PassedAsync();
        await scope.DisposeAsync();
        await Assert.ThrowsAsync<ResourceScopeClosedException>(() => waiting.Bounded());

        var stopping = root.GetRequiredService<HostScope>().StoppedAsync(Test);
        Assert.False(stopping.IsCompleted);
        _release.Open();
        await stopping.Bounded();

        Assert.Equal(["+Alpha", "+Beta", "-Beta", "-Alpha"], _ledger.Events);
        logs.AssertQuiet();
    }

    [Fact]
    public async Task ParentAndChild_CutOffTogether_TheChildGoesFirst()
    {
        var (services, logs) = BuildServices();
        await using var root = services;
        logs.Expect("ScopesOutliveHost");
        var parent = root.CreateResourceScope("parent");
        await parent.GetAsync<Gamma>(Test);
        var child = parent.Services.CreateResourceScope("child");
        await child.GetAsync<Gamma>(Test);
        var (outside, inside) = (_ledger.Created.OfType<Gamma>().First(), _ledger.Created.OfType<Gamma>().Last());
        Assert.NotSame(outside, inside);

        var stopping = root.GetRequiredService<HostScope>().StoppedAsync(Test);
        _clock.Advance(Drain);
        await stopping.Bounded();

        Assert.Equal((1, 1), (outside.Teardowns, inside.Teardowns));
        Assert.Contains("child, parent", logs.Only("ScopesOutliveHost").Message, StringComparison.Ordinal);
        logs.AssertQuiet();
    }

    private static async Task Stop(ResourceTestHost host, bool impatient) =>
        await host.Services.GetRequiredService<IHost>().StopAsync(new CancellationToken(impatient)).Bounded();

    private Task<ResourceTestHost> StartAsync(Server server) => ResourceTestHost.StartAsync(
        server,
        services =>
        {
            services.AddSingleton<TimeProvider>(_clock);
            Register(services);
        },
        app => app.MapGet("/", async (IRequestResource<Gamma> gamma) =>
        {
            await gamma.GetAsync(CancellationToken.None);
            _entered.Open();
            await _release.PassedAsync();
        }));

    private (ServiceProvider Services, Infrastructure.LogCollector Logs) BuildServices() => ResourceTestHost.BuildServices(Register, _clock);

    /// <summary>One of each kind, in a row: the request's object is made from a pooled one, that from a shared one, that from a singleton.</summary>
    private void Register(IServiceCollection services)
    {
        services.Configure<RequestResourceOptions>(options => options.DrainTimeout = Drain);
        services.AddSingleton(_ => new Singleton(_ledger));
        services.AddRequestScopedResource<Alpha>(
            (context, _) =>
            {
                context.Services.GetRequiredService<Singleton>();
                return new(_ledger.Create<Alpha>());
            },
            _ledger.TearDown).SharedPerHost();
        services.AddRequestScopedResource<Beta>(
            async (context, token) =>
            {
                await context.GetAsync<Alpha>(token);
                return _ledger.Create<Beta>();
            },
            _ledger.TearDown).UseObjectPool();
        services.AddRequestScopedResource<Gamma>(
            async (context, token) =>
            {
                await context.GetAsync<Beta>(token);
                return _ledger.Create<Gamma>();
            },
            _ledger.TearDown);
    }

    private sealed class Singleton(Ledger ledger) : IDisposable
    {
        public void Dispose() => ledger.Events.Enqueue("singleton disposed");
    }
}
