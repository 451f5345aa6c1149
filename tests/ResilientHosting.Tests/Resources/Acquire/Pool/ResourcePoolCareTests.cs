using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources.Acquire;

/// <summary>How a pool looks after its objects: validation, reset, lifetimes, and what an operator can do.</summary>
public sealed class ResourcePoolCareTests
{
    [Theory]
    [InlineData(0.9, 0)]
    [InlineData(1.1, 1)]
    public async Task Validation_IdleForLongerThanTheBypass_IsAsked(double idleSeconds, int expected)
    {
        var asked = 0;
        await using var fixture = new PoolFixture(pool => pool.Validate = (_, _) => new ValueTask<bool>(++asked > 0));
        fixture.Pool.Return(await fixture.AcquireAsync().Bounded(), isSuspect: false);
        fixture.Time.Advance(TimeSpan.FromSeconds(idleSeconds));

        var entry = await fixture.AcquireAsync().Bounded();

        Assert.Equal(1, entry.Value.Number);
        Assert.Equal(expected, asked);
    }

    [Fact]
    public async Task Validation_OfAnObjectWhoseUserFailed_IsAskedAtOnce()
    {
        var asked = 0;
        await using var fixture = new PoolFixture(pool => pool.Validate = (_, _) => new ValueTask<bool>(++asked > 0));
        await using (var scope = fixture.OpenScope())
        {
            // Not completed: the scope ends as abandoned.
            await PoolFixture.TakeAsync(scope);
        }

        await fixture.AcquireAsync().Bounded();

        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task Validation_Fails_ReplacesTheObjectAndDistrustsAllOlderOnes()
    {
        var asked = new List<int>();
        await using var fixture = new PoolFixture(pool => pool.Validate = (item, _) =>
        {
            lock (asked)
            {
                asked.Add(item.Number);
            }

            return new ValueTask<bool>(item.Number != 3);
        });
        var entries = await fixture.AcquireAsync(3);
        foreach (var entry in entries)
        {
            fixture.Pool.Return(entry, isSuspect: entry.Value.Number == 3);
        }

        // Nobody waits for the suspect one as long as another is at hand.
        Assert.Equal(2, (await fixture.AcquireAsync().Bounded()).Value.Number);
        Assert.Equal(3, (await fixture.NextTornDownAsync()).Item.Number);
        Assert.Equal(1, (await fixture.AcquireAsync().Bounded()).Value.Number);
        Assert.Equal([3, 1], asked);
    }

    [Fact]
    public async Task Validation_Hangs_IsGivenUpAfterItsTime()
    {
        var asked = new TaskCompletionSource();
        await using var fixture = new PoolFixture(pool => pool.Validate = async (_, token) =>
        {
            asked.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            return true;
        });
        fixture.Pool.Return(await fixture.AcquireAsync().Bounded(), isSuspect: true);

        var waiter = fixture.AcquireAsync();
        await asked.Task.Bounded();
        fixture.Time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(2, (await waiter.Bounded()).Value.Number);
        Assert.Equal(1, (await fixture.NextTornDownAsync()).Item.Number);
    }

    [Theory]
    [InlineData("false")]
    [InlineData("throws")]
    [InlineData("hangs")]
    public async Task Reset_DoesNotSucceed_ReplacesTheObject(string how)
    {
        var hanging = new TaskCompletionSource<bool>();
        var called = new TaskCompletionSource<ScopeOutcomeKind>();
        await using var fixture = new PoolFixture(pool =>
        {
            pool.MaxSize = 1;
            pool.Reset = (_, end) =>
            {
                called.TrySetResult(end.Outcome.Kind);
                return how switch
                {
                    "false" => new ValueTask<bool>(false),
                    "throws" => throw new InvalidOperationException("reset"),
                    _ => new ValueTask<bool>(hanging.Task),
                };
            };
        });
        var scope = fixture.OpenScope();
        await PoolFixture.TakeAsync(scope);
        scope.Complete();

        var end = scope.DisposeAsync().AsTask();
        Assert.Equal(ScopeOutcomeKind.Succeeded, await called.Task.Bounded());
        if (how == "hangs")
        {
            fixture.Time.Advance(TimeSpan.FromSeconds(5));
        }

        await end.Bounded();
        Assert.Equal(1, (await fixture.NextTornDownAsync()).Item.Number);
        Assert.Equal(2, (await fixture.AcquireAsync().Bounded()).Value.Number);
        Assert.Equal(how == "false" ? 0 : 1, fixture.Logs.Problems.Count());
    }

    [Fact]
    public async Task Slot_IsTakenUntilTheTeardownHasEnded()
    {
        await using var fixture = new PoolFixture(pool => pool.MaxSize = 1);
        var teardown = new TaskCompletionSource();
        var started = new TaskCompletionSource();
        fixture.TearingDown = _ =>
        {
            started.SetResult();
            return teardown.Task;
        };
        var entry = await fixture.AcquireAsync().Bounded();
        await fixture.NextDialAsync();
        fixture.Pool.Discard(entry);
        var waiter = fixture.AcquireAsync();
        await started.Task.Bounded();

        Assert.Equal(1, fixture.Pool.Statistics.Total);
        Assert.False(fixture.Dials.Reader.TryRead(out _));

        teardown.SetResult();
        Assert.Equal(2, (await waiter.Bounded()).Value.Number);
    }

    [Fact]
    public async Task Lifetime_IsOver_ReplacesTheIdleObjectAndLeavesTheUsedOne()
    {
        await using var fixture = new PoolFixture(pool =>
        {
            pool.MaxLifetime = TimeSpan.FromMinutes(10);
            pool.LifetimeJitter = 0;
            pool.IdleTimeout = Timeout.InfiniteTimeSpan;
        });
        var used = await fixture.AcquireAsync().Bounded();
        fixture.Pool.Return(await fixture.AcquireAsync().Bounded(), isSuspect: false);

        fixture.Time.Advance(TimeSpan.FromMinutes(10));

        Assert.Equal(2, (await fixture.NextTornDownAsync()).Item.Number);
        Assert.False(used.Value.IsTornDown);
        fixture.Pool.Return(used, isSuspect: false);
        Assert.Equal(1, (await fixture.NextTornDownAsync()).Item.Number);
    }

    [Fact]
    public async Task IdleTimeout_TearsDownTheSurplusAndKeepsTheReserve()
    {
        await using var fixture = new PoolFixture(pool =>
        {
            pool.MinIdle = 1;
            pool.IdleTimeout = TimeSpan.FromMinutes(1);
        });
        var entries = await fixture.AcquireAsync(3);
        await fixture.UntilAsync(pool => pool.Idle == 1);
        foreach (var entry in entries)
        {
            fixture.Pool.Return(entry, isSuspect: false);
        }

        fixture.Time.Advance(TimeSpan.FromMinutes(1.5));

        await fixture.UntilAsync(pool => pool.Total == 1);
        Assert.Equal(1, fixture.Pool.Statistics.Idle);
    }

    [Fact]
    public async Task Clear_ReplacesIdleObjectsNowAndUsedOnesWhenTheyComeBack()
    {
        await using var fixture = new PoolFixture();
        var used = await fixture.AcquireAsync().Bounded();
        fixture.Pool.Return(await fixture.AcquireAsync().Bounded(), isSuspect: false);

        fixture.Pool.Clear();
        Assert.Equal(2, (await fixture.NextTornDownAsync()).Item.Number);
        fixture.Pool.Return(used, isSuspect: false);
        Assert.Equal(1, (await fixture.NextTornDownAsync()).Item.Number);

        Assert.Equal(3, (await fixture.AcquireAsync().Bounded()).Value.Number);
    }

    [Fact]
    public async Task Pause_HoldsEveryoneAndResumeServesThemInOrder()
    {
        await using var fixture = new PoolFixture(pool => pool.MaxSize = 1);
        fixture.Pool.Return(await fixture.AcquireAsync().Bounded(), isSuspect: false);
        fixture.Pool.Pause();
        var first = fixture.AcquireAsync();
        var second = fixture.AcquireAsync();
        Assert.False(first.IsCompleted);

        fixture.Pool.Resume();

        fixture.Pool.Return(await first.Bounded(), isSuspect: false);
        await second.Bounded();
    }

    [Fact]
    public async Task Apply_SmallerAndLarger_TakesEffectAtOnce()
    {
        await using var fixture = new PoolFixture(pool => pool.MaxSize = 3);
        var entries = await fixture.AcquireAsync(3);
        fixture.Pool.Apply(new ResourcePoolOptions<Item> { MaxSize = 1 });
        fixture.Pool.Return(entries[0], isSuspect: false);
        fixture.Pool.Return(entries[1], isSuspect: false);
        await fixture.NextTornDownAsync();
        await fixture.NextTornDownAsync();
        var waiter = fixture.AcquireAsync();
        Assert.False(waiter.IsCompleted);

        fixture.Pool.Apply(new ResourcePoolOptions<Item> { MaxSize = 2 });

        await waiter.Bounded();
        Assert.False(entries[2].Value.IsTornDown);
    }

    [Fact]
    public async Task Apply_ShorterLife_EndsObjectsThatExist()
    {
        await using var fixture = new PoolFixture();
        fixture.Pool.Return(await fixture.AcquireAsync().Bounded(), isSuspect: false);
        fixture.Time.Advance(TimeSpan.FromMinutes(2));

        fixture.Pool.Apply(new ResourcePoolOptions<Item> { MaxLifetime = TimeSpan.FromMinutes(1) });
        fixture.Time.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(1, (await fixture.NextTornDownAsync()).Item.Number);
    }

    [Fact]
    public async Task Detach_FreesTheSlotAndNeverTearsTheObjectDown()
    {
        await using var fixture = new PoolFixture(pool => pool.MaxSize = 1);
        Item taken;
        await using (var scope = fixture.OpenScope())
        {
            await PoolFixture.TakeAsync(scope);
            taken = scope.Services.GetRequiredService<IRequestResource<Item>>().Detach();
        }

        Assert.Equal(2, (await fixture.AcquireAsync().Bounded()).Value.Number);
        await fixture.DisposeAsync();
        Assert.False(taken.IsTornDown);
    }

    [Fact]
    public async Task Return_Twice_IsIgnored()
    {
        await using var fixture = new PoolFixture(pool => pool.MaxSize = 1);
        var entry = await fixture.AcquireAsync().Bounded();
        fixture.Pool.Return(entry, isSuspect: false);
        fixture.Pool.Return(entry, isSuspect: false);

        Assert.Equal(1, fixture.Pool.Statistics.Idle);
    }

    [Fact]
    public async Task Close_EndsTheQueueTearsIdleObjectsDownAndTakesUsedOnesBack()
    {
        var fixture = new PoolFixture(pool => pool.MaxSize = 2);
        var entries = await fixture.AcquireAsync(2);
        fixture.Pool.Return(entries[0], isSuspect: false);
        fixture.Pool.Pause();
        var waiter = fixture.AcquireAsync();

        await fixture.DisposeAsync();

        await Assert.ThrowsAsync<ResourceScopeClosedException>(() => waiter.Bounded());
        Assert.Equal((entries[0].Value, ScopeOutcomeKind.HostStopping), await fixture.NextTornDownAsync());
        await Assert.ThrowsAsync<ResourceScopeClosedException>(
            () => fixture.Pool.AcquireAsync(entries[1].Holder!, lineage: null, TestContext.Current.CancellationToken).AsTask());
        fixture.Pool.Return(entries[1], isSuspect: false);
        Assert.Equal((entries[1].Value, ScopeOutcomeKind.HostStopping), await fixture.NextTornDownAsync());
    }
}
