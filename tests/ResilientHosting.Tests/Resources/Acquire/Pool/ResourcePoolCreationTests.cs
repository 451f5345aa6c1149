using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources.Acquire;

/// <summary>How many objects are created, when, and what happens if that fails.</summary>
public sealed class ResourcePoolCreationTests
{
    private sealed class RefusedException() : Exception("refused");

    [Fact]
    public async Task Creation_ManyWait_NoMoreAtOnceThanAllowed()
    {
        await using var fixture = new PoolFixture(pool => pool.MaxConcurrentCreates = 3);
        var gate = new TaskCompletionSource();
        fixture.Creating = _ => gate.Task;

        var waiting = Enumerable.Range(0, 8).Select(_ => fixture.AcquireAsync()).ToList();
        for (var i = 0; i < 3; i++)
        {
            await fixture.NextDialAsync();
        }

        Assert.Equal(3, fixture.Pool.Statistics.Creating);
        gate.SetResult();
        await Task.WhenAll(waiting).Bounded();
        Assert.Equal(8, fixture.Created);
    }

    [Fact]
    public async Task Creation_FirstOneFails_WaitersGetItsExceptionAtOnce()
    {
        await using var fixture = new PoolFixture();
        var refused = new TaskCompletionSource();
        fixture.Creating = _ => refused.Task;

        // Not before all wait: who comes after the failure waits for the next attempt, and the clock stands still.
        var waiting = Enumerable.Range(0, 3).Select(_ => fixture.AcquireAsync()).ToList();
        refused.SetException(new RefusedException());

        foreach (var waiter in waiting)
        {
            await Assert.ThrowsAsync<RefusedException>(() => waiter.Bounded());
        }

        await fixture.UntilAsync(pool => pool.Creating == 0);
        Assert.Equal(0, fixture.Pool.Statistics.Total);
    }

    [Fact]
    public async Task Creation_FailsAfterItHasWorked_WaitersOutlastTheOutage()
    {
        await using var fixture = new PoolFixture(pool => pool.MaxSize = 2);
        var held = await fixture.AcquireAsync().Bounded();
        await fixture.NextDialAsync();
        fixture.Creating = _ => throw new RefusedException();

        var waiting = fixture.AcquireAsync();
        await fixture.NextDialAsync();
        await fixture.UntilAsync(pool => pool.Creating == 0);
        fixture.Creating = _ => Task.CompletedTask;
        fixture.Time.Advance(TimeSpan.FromSeconds(0.5));

        Assert.Equal(2, (await waiting.Bounded()).Value.Number);
        fixture.Pool.Return(held, isSuspect: false);
    }

    [Fact]
    public async Task Creation_FailsForTheWholeWait_FailsAsBackendFailingWithTheCause()
    {
        await using var fixture = new PoolFixture(pool => pool.AcquireTimeout = TimeSpan.FromSeconds(4));
        await fixture.AcquireAsync().Bounded();
        await fixture.NextDialAsync();
        fixture.Creating = _ => throw new RefusedException();

        var waiting = fixture.AcquireAsync();
        var dials = 0;
        for (var elapsed = 0; elapsed < 4; elapsed++)
        {
            await fixture.NextDialAsync();
            await fixture.UntilAsync(pool => pool.Creating == 0);
            dials++;
            fixture.Time.Advance(TimeSpan.FromSeconds(1));
        }

        var exception = await Assert.ThrowsAsync<ResourceAcquireTimeoutException>(() => waiting.Bounded());
        Assert.Equal(ResourceAcquireFailure.BackendFailing, exception.Reason);
        Assert.IsType<RefusedException>(exception.InnerException);
        Assert.Contains("refused", exception.Message, StringComparison.Ordinal);
        Assert.Equal(4, dials);
    }

    [Fact]
    public async Task Creation_WhileFailing_OneProbeAtATimeWithPauses()
    {
        await using var fixture = new PoolFixture(pool => pool.MaxConcurrentCreates = 4);
        await fixture.AcquireAsync().Bounded();
        await fixture.NextDialAsync();
        var refused = new TaskCompletionSource();
        fixture.Creating = _ => refused.Task;

        var waiting = Enumerable.Range(0, 6).Select(_ => fixture.AcquireAsync()).ToList();
        for (var i = 0; i < 4; i++)
        {
            await fixture.NextDialAsync();
        }

        // Not before all four are under way: the first refusal would keep the others from being tried.
        refused.SetException(new RefusedException());
        await fixture.UntilAsync(pool => pool.Creating == 0);
        var gate = new TaskCompletionSource();
        fixture.Creating = _ => gate.Task;
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await fixture.NextDialAsync();
        Assert.Equal(1, fixture.Pool.Statistics.Creating);

        gate.SetResult();
        await Task.WhenAll(waiting).Bounded();
    }

    [Fact]
    public async Task Creation_Hangs_OthersAreTriedAndTheLateOneIsAdopted()
    {
        await using var fixture = new PoolFixture(pool => pool.MaxConcurrentCreates = 1);
        var first = new TaskCompletionSource();
        fixture.Creating = _ => first.Task;
        var waiting = Enumerable.Range(0, 2).Select(_ => fixture.AcquireAsync()).ToList();
        await fixture.NextDialAsync();

        // The first one hangs and may; the second is given up, so that a third can see that the backend has recovered.
        var given = new TaskCompletionSource();
        fixture.Creating = token =>
        {
            token.Register(given.SetResult);
            return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
        };
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await fixture.NextDialAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await given.Task.Bounded();
        fixture.Creating = _ => Task.CompletedTask;
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await fixture.NextDialAsync();

        await Task.WhenAny(waiting).Bounded();
        first.SetResult();
        await Task.WhenAll(waiting).Bounded();
    }

    [Fact]
    public async Task MinIdle_AfterFirstUse_IsKeptReady()
    {
        await using var fixture = new PoolFixture(pool => pool.MinIdle = 3);
        var held = await fixture.AcquireAsync().Bounded();

        await fixture.UntilAsync(pool => pool.Idle == 3);
        fixture.Pool.Return(held, isSuspect: false);
    }

    [Fact]
    public async Task Spike_FiveIdleAndSlowCreation_CreatesHardlyMore()
    {
        await using var fixture = new PoolFixture(pool => pool.MaxSize = 50);
        foreach (var entry in await fixture.AcquireAsync(5))
        {
            fixture.Pool.Return(entry, isSuspect: false);
        }

        var slow = new TaskCompletionSource();
        fixture.Creating = _ => slow.Task;
        var served = new List<int>();
        var users = Enumerable.Range(0, 50).Select(async number =>
        {
            var entry = await fixture.AcquireAsync();
            lock (served)
            {
                served.Add(number);
            }

            await Task.Yield();
            fixture.Pool.Return(entry, isSuspect: false);
        }).ToList();
        await Task.WhenAll(users).Bounded();
        slow.SetResult();

        await fixture.UntilAsync(pool => pool.Creating == 0);
        Assert.InRange(fixture.Created, 5, 7);
        Assert.Equal(50, served.Count);
    }
}
