using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources.Acquire;

/// <summary>Who gets what, and when.</summary>
public sealed class ResourcePoolAcquireTests
{
    [Theory]
    [InlineData(ResourcePoolOrder.Lifo, 2)]
    [InlineData(ResourcePoolOrder.Fifo, 1)]
    public async Task Acquire_SeveralIdle_GivesTheOneTheOrderSays(ResourcePoolOrder order, int expected)
    {
        await using var fixture = new PoolFixture(pool => pool.Order = order);
        var entries = await fixture.AcquireAsync(2);
        foreach (var entry in entries)
        {
            fixture.Pool.Return(entry, isSuspect: false);
        }

        var next = await fixture.AcquireAsync().Bounded();

        Assert.Equal(expected, next.Value.Number);
    }

    [Fact]
    public async Task Acquire_AllInUse_ServesWaitersInTheOrderTheyCame()
    {
        await using var fixture = new PoolFixture(pool => pool.MaxSize = 1);
        var first = await fixture.AcquireAsync().Bounded();
        var waiting = Enumerable.Range(0, 4).Select(_ => fixture.AcquireAsync()).ToList();

        foreach (var waiter in waiting)
        {
            fixture.Pool.Return(first, isSuspect: false);
            first = await waiter.Bounded();
        }

        Assert.Equal(1, fixture.Created);
    }

    [Fact]
    public async Task TryAcquire_SomebodyWaits_DoesNotOvertake()
    {
        await using var fixture = new PoolFixture(pool => pool.MaxSize = 1);
        var held = await fixture.AcquireAsync().Bounded();
        fixture.Pool.Pause();
        var waiter = fixture.AcquireAsync();
        fixture.Pool.Return(held, isSuspect: false);

        Assert.Null(fixture.Pool.TryAcquire(fixture.OpenScope().Stack));
        fixture.Pool.Resume();
        await waiter.Bounded();
    }

    [Fact]
    public async Task Acquire_AllInUseTooLong_FailsAsExhausted()
    {
        await using var fixture = new PoolFixture(pool =>
        {
            pool.MaxSize = 2;
            pool.AcquireTimeout = TimeSpan.FromSeconds(3);
        });
        await fixture.AcquireAsync(2);

        var waiter = fixture.AcquireAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(waiter.IsCompleted);
        fixture.Time.Advance(TimeSpan.FromSeconds(0.1));

        var exception = await Assert.ThrowsAsync<ResourceAcquireTimeoutException>(() => waiter.Bounded());
        Assert.Equal(ResourceAcquireFailure.Exhausted, exception.Reason);
        Assert.Equal(new ResourcePoolStatistics(Total: 2, Used: 2, Idle: 0, Validating: 0, Creating: 0, Waiting: 1, Max: 2), exception.Statistics);
        Assert.Contains("raise MaxSize", exception.Message, StringComparison.Ordinal);
        Assert.Equal(0, fixture.Pool.Statistics.Waiting);
    }

    [Fact]
    public async Task Acquire_CreationTooSlow_FailsAsCreatingAndKeepsTheLateObject()
    {
        await using var fixture = new PoolFixture(pool => pool.AcquireTimeout = TimeSpan.FromMilliseconds(500));
        var gate = new TaskCompletionSource();
        fixture.Creating = _ => gate.Task;

        var waiter = fixture.AcquireAsync();
        await fixture.NextDialAsync();
        fixture.Time.Advance(TimeSpan.FromMilliseconds(500));

        var exception = await Assert.ThrowsAsync<ResourceAcquireTimeoutException>(() => waiter.Bounded());
        Assert.Equal(ResourceAcquireFailure.Creating, exception.Reason);

        gate.SetResult();
        var late = await fixture.AcquireAsync().Bounded();
        Assert.Equal(1, late.Value.Number);
    }

    [Fact]
    public async Task Acquire_PausedForTooLong_FailsAsPaused()
    {
        await using var fixture = new PoolFixture();
        fixture.Pool.Pause();

        var waiter = fixture.AcquireAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(30));

        var exception = await Assert.ThrowsAsync<ResourceAcquireTimeoutException>(() => waiter.Bounded());
        Assert.Equal(ResourceAcquireFailure.Paused, exception.Reason);
        Assert.Contains("Resume", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Acquire_Cancelled_LeavesTheQueueAndNotTheCreation()
    {
        await using var fixture = new PoolFixture();
        var gate = new TaskCompletionSource();
        fixture.Creating = _ => gate.Task;
        using var cancellation = new CancellationTokenSource();

        var waiter = fixture.AcquireUntilAsync(cancellation.Token);
        await fixture.NextDialAsync();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiter.Bounded());

        var next = fixture.AcquireAsync();
        gate.SetResult();
        Assert.Equal(1, (await next.Bounded()).Value.Number);
        Assert.Equal(1, fixture.Created);
    }

    [Fact]
    public async Task Return_WhileACreationRunsForTheWaiter_TheReturnedObjectIsFirst()
    {
        await using var fixture = new PoolFixture();
        var held = await fixture.AcquireAsync().Bounded();
        await fixture.NextDialAsync();
        var gate = new TaskCompletionSource();
        fixture.Creating = _ => gate.Task;

        var waiter = fixture.AcquireAsync();
        await fixture.NextDialAsync();
        fixture.Pool.Return(held, isSuspect: false);

        Assert.Same(held, await waiter.Bounded());
        gate.SetResult();
        Assert.Equal(2, (await fixture.AcquireAsync().Bounded()).Value.Number);
    }

    [Fact]
    public async Task Acquire_MoreThanMaxWaitersWait_FailsAtOnce()
    {
        await using var fixture = new PoolFixture(pool =>
        {
            pool.MaxSize = 1;
            pool.MaxWaiters = 1;
        });
        var held = await fixture.AcquireAsync().Bounded();
        var waiter = fixture.AcquireAsync();

        var exception = await Assert.ThrowsAsync<ResourceAcquireTimeoutException>(() => fixture.AcquireAsync());
        Assert.Contains("MaxWaiters", exception.Message, StringComparison.Ordinal);

        fixture.Pool.Return(held, isSuspect: false);
        await waiter.Bounded();
    }

    [Fact]
    public async Task Acquire_NobodyMayWait_StillGetsWhatThereIsRoomFor()
    {
        await using var fixture = new PoolFixture(pool =>
        {
            pool.MaxSize = 2;
            pool.MaxWaiters = 0;
        });

        await Task.WhenAll(fixture.AcquireAsync(), fixture.AcquireAsync()).Bounded();

        await Assert.ThrowsAsync<ResourceAcquireTimeoutException>(() => fixture.AcquireAsync());
    }

    [Fact]
    public async Task Acquire_Object_IsMadeWithoutTheRequestsAsyncLocals()
    {
        var seen = new TaskCompletionSource<string?>();
        var local = new AsyncLocal<string?> { Value = "of the request" };
        await using var fixture = new PoolFixture();
        fixture.Creating = _ =>
        {
            seen.TrySetResult(local.Value);
            return Task.CompletedTask;
        };

        await fixture.AcquireAsync().Bounded();

        Assert.Null(await seen.Task.Bounded());
    }

    [Fact]
    public async Task Factory_ServicesAndDependencies_LiveAsLongAsTheObject()
    {
        var ledger = new Ledger();
        await using var fixture = new PoolFixture(services: services => services.AddTracked<Alpha>(ledger));
        var used = new List<Alpha>();
        ResourceContext? context = null;
        fixture.Creating = async token =>
        {
            context = await fixture.NextDialAsync();
            used.Add(await context.GetAsync<Alpha>(token));
        };

        var scope = fixture.OpenScope();
        await PoolFixture.TakeAsync(scope);
        await scope.DisposeAsync();
        Assert.Null(context!.HttpContext);
        Assert.Equal(0, Assert.Single(used).Teardowns);

        fixture.Pool.Clear();
        await fixture.NextTornDownAsync();
        Assert.Equal(ScopeOutcomeKind.Abandoned, (await ledger.NextOutcomeAsync()).Kind);
        Assert.Equal(1, Assert.Single(used).Teardowns);
    }

    [Fact]
    public async Task Scopes_AskTwiceAndOneAfterTheOther_GetTheSameObject()
    {
        await using var fixture = new PoolFixture(pool => pool.MaxSize = 1);
        for (var i = 0; i < 3; i++)
        {
            await using var scope = fixture.OpenScope();
            var once = await PoolFixture.TakeAsync(scope);
            Assert.Same(once, await PoolFixture.TakeAsync(scope));
            scope.Complete();
        }

        Assert.Equal(1, fixture.Created);
    }

    [Fact]
    public async Task Acquire_HeldByAnEnclosingScope_IsReportedOnceAndServedWhenOneIsFree()
    {
        await using var fixture = new PoolFixture(pool => pool.MaxSize = 2);
        await using var outer = fixture.OpenScope("outer");
        await PoolFixture.TakeAsync(outer);
        var other = await fixture.AcquireAsync().Bounded();

        await using var inner = outer.Services.CreateResourceScope("inner");
        var waiter = PoolFixture.TakeAsync(inner);

        Assert.Equal("NestedAcquire", Assert.Single(fixture.Logs.Problems).Event.Name);
        fixture.Pool.Return(other, isSuspect: false);
        await waiter.Bounded();
    }

    [Fact]
    public async Task Acquire_AllHeldByScopesThatWaitForAnother_FailsAsDeadlockedAtOnce()
    {
        await using var fixture = new PoolFixture(pool => pool.MaxSize = 2);
        await using var first = fixture.OpenScope("first");
        await using var second = fixture.OpenScope("second");
        await PoolFixture.TakeAsync(first);
        await PoolFixture.TakeAsync(second);
        await using var inFirst = first.Services.CreateResourceScope("in first");
        await using var inSecond = second.Services.CreateResourceScope("in second");

        var waits = PoolFixture.TakeAsync(inFirst);
        var exception = await Assert.ThrowsAsync<ResourceAcquireTimeoutException>(() => PoolFixture.TakeAsync(inSecond));

        Assert.Equal(ResourceAcquireFailure.Deadlocked, exception.Reason);
        await inSecond.DisposeAsync();
        await second.DisposeAsync().Bounded();
        await waits.Bounded();
    }

    [Fact]
    public async Task Factories_OfTwoPoolsThatNeedOneAnother_AreReportedAsCycle()
    {
        var (services, _) = ResourceTestHost.BuildServices(collection =>
        {
            collection.AddRequestScopedResource<Alpha>(async (context, token) =>
            {
                await context.GetAsync<Beta>(token);
                return new Alpha();
            }).UsePool();
            collection.AddRequestScopedResource<Beta>(async (context, token) =>
            {
                await context.GetAsync<Alpha>(token);
                return new Beta();
            }).SharedPerHost();
        });
        await using var disposing = services;
        await using var scope = services.CreateResourceScope("test");

        var exception = await Assert.ThrowsAsync<ResourceCycleException>(() => scope.GetAsync<Alpha>(TestContext.Current.CancellationToken).Bounded());

        Assert.Equal(["Alpha", "Beta", "Alpha"], exception.Path);
    }
}
