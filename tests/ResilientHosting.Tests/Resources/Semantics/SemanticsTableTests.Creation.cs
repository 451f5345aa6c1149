using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <content>What happens while a resource is created.</content>
public sealed partial class SemanticsTableTests
{
    [Theory, MemberData(nameof(Servers))]
    public async Task CreationFailsHalfWay(Server server)
    {
        var runs = 0;
        var partDisposed = false;
        var host = await StartAsync(
            server,
            services =>
            {
                services.AddTracked<Beta>(_ledger);
                services.AddRequestScopedResource<Alpha>(
                    async (context, token) =>
                    {
                        await context.GetAsync<Beta>(token);
                        if (++runs > 1)
                        {
                            return _ledger.Create<Alpha>();
                        }

                        context.OnFailure(new DisposeCounter(() => partDisposed = true));
                        await _release.PassedAsync();
                        throw Thrown;
                    },
                    _ledger.TearDown);
            },
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha) =>
            {
                var callers = new[] { alpha.GetAsync(CancellationToken.None).AsTask(), alpha.GetAsync(CancellationToken.None).AsTask() };
                _release.Open();
                foreach (var caller in callers)
                {
                    Assert.Same(Thrown, await Assert.ThrowsAsync<InvalidOperationException>(() => caller));
                }

                // What it was made from stays, what it left half-built does not, and the failure is not remembered.
                Assert.Equal(["+Beta"], _ledger.Events);
                Assert.True(partDisposed);
                await alpha.GetAsync(CancellationToken.None);
            }));

        await host.Client.GetStringAsync("/", Test);
        await host.DisposeAsync();

        Assert.Equal(["+Beta", "+Alpha", "-Alpha", "-Beta"], _ledger.Events);
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task CancellationDuringCreation(Server server)
    {
        var host = await StartAsync(
            server,
            services => services.AddRequestScopedResource<Alpha>(
                async (_, token) =>
                {
                    await _release.PassedAsync();
                    token.ThrowIfCancellationRequested();
                    return _ledger.Create<Alpha>();
                },
                _ledger.TearDown),
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha) =>
            {
                using var impatience = new CancellationTokenSource();
                var leaving = alpha.GetAsync(impatience.Token).AsTask();
                await impatience.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);

                // Nobody waits any more; the creation goes on, for whoever asks next.
                _release.Open();
                await alpha.GetAsync(CancellationToken.None);
            }));

        await host.Client.GetStringAsync("/", Test);

        Assert.Equal(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);
        Assert.Single(_ledger.Created);
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task ScopeEndsWhileCreationInFlight(Server server)
    {
        var waiting = Task.CompletedTask;
        var host = await StartAsync(
            server,
            services =>
            {
                services.AddTracked<Beta>(_ledger);
                services.AddRequestScopedResource<Alpha>(
                    async (context, token) =>
                    {
                        await context.GetAsync<Beta>(token);
                        token.Register(_entered.Open);
                        await _release.PassedAsync();
                        return _ledger.Create<Alpha>();
                    },
                    _ledger.TearDown);
            },
            app => app.MapGet("/", (IRequestResource<Alpha> alpha) =>
            {
                waiting = alpha.GetAsync(CancellationToken.None).AsTask();
                return "done without it";
            }));

        Assert.Equal("done without it", await host.Client.GetStringAsync("/", Test));

        // The factory is told to give up, and what it was made from waits for it.
        await _entered.PassedAsync();
        Assert.Empty(Teardowns());
        _release.Open();

        await Assert.ThrowsAsync<ResourceScopeClosedException>(() => waiting.Bounded());
        Assert.Equal(ScopeOutcomeKind.Abandoned, (await _ledger.NextOutcomeAsync()).Kind);
        Assert.Equal(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);
        Assert.Equal(["-Alpha", "-Beta"], Teardowns());
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task ConcurrentGetAsync(Server server)
    {
        var host = await StartAsync(
            server,
            services => services.AddRequestScopedResource<Alpha>(
                async (_, _) =>
                {
                    await _release.PassedAsync();
                    return _ledger.Create<Alpha>();
                },
                _ledger.TearDown),
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha) =>
            {
                var callers = Enumerable.Range(0, 8)
                    .Select(_ => Task.Run(async () => await alpha.GetAsync(CancellationToken.None))).ToList();
                _release.Open();
                var objects = await Task.WhenAll(callers);
                Assert.Single(objects.Distinct());
            }));

        await host.Client.GetStringAsync("/", Test);

        await _ledger.NextOutcomeAsync();
        Assert.Single(_ledger.Created);
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task Cycle(Server server)
    {
        var host = await StartAsync(
            server,
            services =>
            {
                services.AddRequestScopedResource<Alpha>(async (context, token) =>
                {
                    await context.GetAsync<Beta>(token);
                    return new Alpha();
                });
                services.AddRequestScopedResource<Beta>(async (context, token) =>
                {
                    await context.GetAsync<Alpha>(token);
                    return new Beta();
                });
            },
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha) =>
                (await Assert.ThrowsAsync<ResourceCycleException>(() => alpha.GetAsync(CancellationToken.None).AsTask())).Path));

        Assert.Equal("""["Alpha","Beta","Alpha"]""", await host.Client.GetStringAsync("/", Test));
    }
}
