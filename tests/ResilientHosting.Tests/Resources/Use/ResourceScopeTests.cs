using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

public sealed class ResourceScopeTests : IAsyncDisposable
{
    private readonly Ledger _ledger = new();
    private readonly StoppableLifetime _lifetime = new();
    private readonly ServiceProvider _services;
    private readonly LogCollector _logs;

    public ResourceScopeTests() => (_services, _logs) = ResourceTestHost.BuildServices(services =>
    {
        services.AddSingleton<IHostApplicationLifetime>(_lifetime);
        services.AddRequestScopedResource<Alpha>(
            (context, _) =>
            {
                Assert.Null(context.HttpContext);
                Assert.Equal("job", context.ScopeName);
                return new(_ledger.Create<Alpha>());
            },
            _ledger.TearDown);
    });

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunInResourceScope_BodyReturns_Succeeds()
    {
        var result = await _services.RunInResourceScopeAsync(
            "job",
            async (scope, token) =>
            {
                Assert.Same(await scope.GetAsync<Alpha>(token), await scope.GetAsync<Alpha>(token));
                return 42;
            },
            Test);

        Assert.Equal(42, result);
        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, true, null), (outcome.Kind, outcome.ShouldCommit, outcome.StatusCode));
        _ledger.AssertBalanced();
    }

    [Fact]
    public async Task RunInResourceScope_BodyThrows_IsFaultedWithThatExceptionAndThrowsIt()
    {
        var failure = new NotSupportedException("job failed");

        var thrown = await Assert.ThrowsAsync<NotSupportedException>(() => _services.RunInResourceScopeAsync(
            "job",
            async (scope, token) =>
            {
                await scope.GetAsync<Alpha>(token);
                throw failure;
            },
            Test));

        Assert.Same(failure, thrown);
        Assert.Equal(new ScopeOutcome(ScopeOutcomeKind.Faulted, failure), await _ledger.NextOutcomeAsync());
    }

    [Theory]
    [InlineData(false, ScopeOutcomeKind.Aborted)]
    [InlineData(true, ScopeOutcomeKind.HostStopping)]
    public async Task RunInResourceScope_Cancelled_TellsWhoDidIt(bool hostStopping, ScopeOutcomeKind expected)
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Test, _lifetime.ApplicationStopping);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _services.RunInResourceScopeAsync(
            "job",
            async (scope, token) =>
            {
                await scope.GetAsync<Alpha>(token);
                await (hostStopping ? _lifetime.StopAsync() : cancellation.CancelAsync());
                token.ThrowIfCancellationRequested();
            },
            cancellation.Token));

        Assert.Equal(expected, (await _ledger.NextOutcomeAsync()).Kind);
    }

    [Theory]
    [InlineData(true, ScopeOutcomeKind.Succeeded)]
    [InlineData(false, ScopeOutcomeKind.Abandoned)]
    public async Task CreateResourceScope_Disposed_SucceedsOnlyIfCompleted(bool complete, ScopeOutcomeKind expected)
    {
        await using (var scope = _services.CreateResourceScope("job"))
        {
            await scope.GetAsync<Alpha>(Test);
            if (complete)
            {
                scope.Complete();
            }
        }

        Assert.Equal(expected, (await _ledger.NextOutcomeAsync()).Kind);
        _ledger.AssertBalanced();
    }

    [Fact]
    public async Task NestedScopes_OwnTheirOwnObjects()
    {
        await _services.RunInResourceScopeAsync(
            "job",
            async (outer, token) =>
            {
                var outside = await outer.GetAsync<Alpha>(token);
                await outer.Services.RunInResourceScopeAsync(
                    "job", async (inner, innerToken) => Assert.NotSame(outside, await inner.GetAsync<Alpha>(innerToken)), token);
                Assert.Equal(0, outside.Teardowns);
            },
            Test);

        _ledger.AssertBalanced();
        Assert.Equal(2, _ledger.Created.Count);
    }

    [Fact]
    public async Task DisposeAsync_Twice_TearsDownOnce()
    {
        var scope = _services.CreateResourceScope("job");
        await scope.GetAsync<Alpha>(Test);

        await scope.DisposeAsync();
        await scope.DisposeAsync();

        _ledger.AssertBalanced();
    }

    [Fact]
    public async Task CreateResourceScope_NothingRegistered_SaysSo()
    {
        await using var empty = new ServiceCollection().BuildServiceProvider();

        var exception = Assert.Throws<InvalidOperationException>(() => empty.CreateResourceScope("job"));

        Assert.Equal(
            "No request-scoped resource is registered, so there is nothing to open a scope for. Call AddRequestScopedResource first.",
            exception.Message);
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        _lifetime.Dispose();
        _logs.AssertQuiet();
    }

    private sealed class StoppableLifetime : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource _stopping = new();

        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public Task StopAsync() => _stopping.CancelAsync();

        public void StopApplication() => _stopping.Cancel();

        public void Dispose() => _stopping.Dispose();
    }
}
