using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;
using Barrier = ResilientHosting.Tests.Aborts.Barrier;

namespace ResilientHosting.Tests.Resources;

public sealed class ChildScopeTests : IAsyncDisposable
{
    private readonly Ledger _ledger = new();
    private readonly ManualTimeProvider _time = new();
    private readonly ServiceProvider _services;
    private readonly LogCollector _logs;

    public ChildScopeTests() => (_services, _logs) = ResourceTestHost.BuildServices(
        services =>
        {
            services.AddTracked<Alpha>(_ledger);
            services.AddRequestScopedResource<Beta>(
                (_, _) => new(_ledger.Create<Beta>()),
                async (beta, end) =>
                {
                    // A scope for the teardown's own purposes: nobody may wait for it but the teardown.
                    await end.Services.RunInResourceScopeAsync("outbox", (scope, token) => scope.GetAsync<Alpha>(token).AsTask(), end.Deadline);
                    await _ledger.TearDown(beta, end);
                });
        },
        _time);

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Parent_Ends_WaitsForItsChildrenBeforeItsOwnObjects()
    {
        var parent = _services.CreateResourceScope("parent");
        var outside = await parent.GetAsync<Alpha>(Test);
        var child = parent.Services.CreateResourceScope("child");
        var grandchild = child.Services.CreateResourceScope("grandchild");
        var inside = await grandchild.GetAsync<Alpha>(Test);

        var ending = parent.DisposeAsync().AsTask();
        Assert.Equal((0, 0), (outside.Teardowns, inside.Teardowns));
        await grandchild.DisposeAsync();
        Assert.Equal((0, 1), (outside.Teardowns, inside.Teardowns));
        await child.DisposeAsync();
        await ending.Bounded();

        Assert.NotSame(outside, inside);
        Assert.Equal(1, outside.Teardowns);
    }

    [Fact]
    public async Task Parent_WithoutObjects_WaitsToo()
    {
        var parent = _services.CreateResourceScope("parent");
        var child = parent.Services.CreateResourceScope("child");

        var ending = parent.DisposeAsync().AsTask();
        Assert.False(ending.IsCompleted);
        await child.DisposeAsync();

        await ending.Bounded();
    }

    [Fact]
    public async Task Child_OutlivesTheBudget_BothAreNamedAndTheParentEnds()
    {
        _logs.Expect("ScopeOutlivesParent");
        var parent = _services.CreateResourceScope("parent");
        var outside = await parent.GetAsync<Alpha>(Test);
        var child = parent.Services.CreateResourceScope("child");
        var inside = await child.GetAsync<Alpha>(Test);

        var ending = parent.DisposeAsync().AsTask();
        _time.Advance(TimeSpan.FromSeconds(30) - TimeSpan.FromTicks(1));
        Assert.False(ending.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));
        await ending.Bounded();

        Assert.Equal((1, 0), (outside.Teardowns, inside.Teardowns));
        var warning = _logs.Only("ScopeOutlivesParent");
        Assert.Equal(LogLevel.Warning, warning.Level);
        Assert.Equal(
            "Scope 'parent' ended while scopes opened with its services were still open, and its teardown budget is used up: child. Its " +
            "resources are torn down while they may be in use. Wait for such work before the scope ends, or open its scope with the " +
            "host's services.",
            warning.Message);
        await child.DisposeAsync();
        Assert.Equal(1, inside.Teardowns);
    }

    [Fact]
    public async Task Teardown_OpensAScope_IsNotWaitedForByTheScopeThatIsEnding()
    {
        await _services.RunInResourceScopeAsync("parent", async (parent, token) => await parent.GetAsync<Beta>(token), Test).Bounded();

        Assert.Equal(["+Beta", "+Alpha", "-Alpha", "-Beta"], _ledger.Events);
    }

    [Fact]
    public async Task Child_HasTheParentAsItsParent_NotItsOutcome()
    {
        await _services.RunInResourceScopeAsync(
            "parent",
            async (parent, token) =>
            {
                await Assert.ThrowsAsync<NotSupportedException>(() => parent.Services.RunInResourceScopeAsync(
                    "child",
                    async (child, childToken) =>
                    {
                        await child.GetAsync<Alpha>(childToken);
                        Assert.Same(parent.Stack, child.Stack.Parent);
                        throw new NotSupportedException("item 7 is bad");
                    },
                    token));
                await parent.GetAsync<Alpha>(token);
            },
            Test);

        Assert.Equal(ScopeOutcomeKind.Faulted, (await _ledger.NextOutcomeAsync()).Kind);
        Assert.Equal(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);
    }

    [Theory]
    [InlineData(Server.Kestrel)]
    [InlineData(Server.TestServer)]
    public async Task Request_EndsBeforeItsChild_WaitsForItEvenWithoutResourcesOfItsOwn(Server server)
    {
        var opened = new TaskCompletionSource<ResourceScope>(TaskCreationOptions.RunContinuationsAsynchronously);
        var responseCompleted = new Barrier();
        await using var host = await ResourceTestHost.StartAsync(server, services => services.AddTracked<Alpha>(_ledger), app =>
            app.MapGet("/", async (HttpContext context) =>
            {
                // Registered first, so it runs last: after the scope's end.
                context.Response.OnCompleted(() =>
                {
                    _ledger.Events.Enqueue("request over");
                    responseCompleted.Open();
                    return Task.CompletedTask;
                });
                var child = context.RequestServices.CreateResourceScope("child");
                await child.GetAsync<Alpha>(CancellationToken.None);
                opened.SetResult(child);
                return "ok";
            }));

        await host.Client.GetStringAsync("/", Test);
        await (await opened.Task.Bounded()).DisposeAsync();
        await responseCompleted.PassedAsync();

        Assert.Equal(["+Alpha", "-Alpha", "request over"], _ledger.Events);
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        _logs.AssertQuiet();
        _ledger.AssertBalanced();
    }
}
