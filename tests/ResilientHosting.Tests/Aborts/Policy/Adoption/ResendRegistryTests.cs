using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy.Adoption;

public sealed class ResendRegistryTests
{
    private readonly ManualTimeProvider _clock = new();
    private readonly AdoptionOptions _options = new ClientAbortOptions().Adoption;

    [Fact]
    public void Keys_AHundredThousandThatNobodyComesBackFor_LeaveNoMoreThanTheBounds()
    {
        _options.MaxResultSize = 1000;
        _options.MaxRetainedSize = 1_000_000;
        var registry = new ResendRegistry(_options, _clock);
        var result = Result(1000);
        for (var i = 0; i < 100_000; i++)
        {
            registry.Complete(registry.Join($"{i}", ""), result, isReceived: false, isKeptElsewhere: false);
            Assert.InRange(registry.Count.RetainedSize, 1, _options.MaxRetainedSize);
        }

        Assert.InRange(registry.Count.Retained, 1, 1000);
        Assert.Equal(registry.Count.Retained, registry.Count.Keys);
        Assert.Equal(TurnKind.Replay, Turn(registry.Join("99999", "")).Kind);
        Assert.Equal(TurnKind.Lead, Turn(registry.Join("0", "")).Kind);
        Assert.Equal(1, _clock.PendingTimers);

        _clock.Advance(_options.ResultRetention);
        Assert.Equal((1, 0, 0), registry.Count);
        Assert.Equal(0, _clock.PendingTimers);
    }

    [Fact]
    public void Keys_AHundredThousandWhoseClientsStayed_LeaveNothing()
    {
        var registry = new ResendRegistry(_options, _clock);
        for (var i = 0; i < 100_000; i++)
        {
            registry.Complete(registry.Join($"{i}", ""), Result(1000), isReceived: true, isKeptElsewhere: false);
        }

        Assert.Equal((0, 0, 0), registry.Count);
        Assert.Equal(0, _clock.PendingTimers);
    }

    [Fact]
    public void Results_OfDifferentAge_ExpireOneByOne()
    {
        var registry = new ResendRegistry(_options, _clock);
        for (var i = 0; i < 3; i++)
        {
            Retain(registry, $"{i}");
            _clock.Advance(TimeSpan.FromSeconds(10));
        }

        for (var left = 2; left >= 0; left--)
        {
            _clock.Advance(left == 2 ? TimeSpan.FromSeconds(30) : TimeSpan.FromSeconds(10));
            Assert.Equal(left, registry.Count.Retained);
        }
    }

    [Fact]
    public void Delivery_ClientLeavesInItsMiddle_ResultStaysForTheNextOne()
    {
        var registry = new ResendRegistry(_options, _clock);
        Retain(registry, "key");

        var first = registry.Join("key", "");
        registry.Missed(first);
        var second = registry.Join("key", "");
        Assert.Equal(TurnKind.Replay, Turn(second).Kind);
        registry.Received(second);

        Assert.Equal(0, registry.Count.Keys);
    }

    [Fact]
    public void Delivery_LaterRequestIsOnItsWay_ResultIsForgottenOnlyWithTheLater()
    {
        var registry = new ResendRegistry(_options, _clock);
        Retain(registry, "key");
        var first = registry.Join("key", "");
        var second = registry.Join("key", "");

        registry.Received(first);
        Assert.Equal(1, registry.Count.Keys);
        registry.Received(second);
        Assert.Equal(0, registry.Count.Keys);
    }

    [Fact]
    public void Delivery_EndsAfterTheKeyIsInUseAgain_LeavesTheNewWorkAlone()
    {
        var registry = new ResendRegistry(_options, _clock);
        Retain(registry, "key");
        var late = registry.Join("key", "");
        _clock.Advance(_options.ResultRetention);
        var leader = registry.Join("key", "");

        registry.Received(late);

        Assert.Equal(TurnKind.Lead, Turn(leader).Kind);
        Assert.False(registry.Join("key", "").Turn.IsCompleted);
    }

    [Fact]
    public void Leaving_AfterTheTurnHasCome_IsTooLate()
    {
        var registry = new ResendRegistry(_options, _clock);
        var leader = registry.Join("key", "");
        var waiter = registry.Join("key", "");
        registry.Fail(leader);

        Assert.False(registry.TryLeave(waiter));
        Assert.Equal(TurnKind.TakeOver, Turn(waiter).Kind);
        registry.Fail(waiter);
        Assert.Equal(0, registry.Count.Keys);
    }

    [Fact]
    public void Join_ClientHasLeftAlready_TakesNobodysPlace()
    {
        var registry = new ResendRegistry(_options, _clock);
        var leader = registry.Join("key", "", hasLeft: true);
        Assert.Equal(TurnKind.Lead, Turn(leader).Kind);
        var waiter = registry.Join("key", "");

        var late = registry.Join("key", "", hasLeft: true);

        Assert.Equal(TurnKind.Superseded, Turn(late).Kind);
        registry.Complete(leader, Result(10), isReceived: false, isKeptElsewhere: false);
        Assert.Equal(TurnKind.Adopt, Turn(waiter).Kind);
        Assert.Equal(TurnKind.Superseded, Turn(registry.Join("key", "", hasLeft: true)).Kind);
        registry.Received(waiter);
        Assert.Equal(0, registry.Count.Keys);
    }

    [Fact]
    public void Result_KeptElsewhere_TakesNoRoomHere()
    {
        var registry = new ResendRegistry(_options, _clock);
        registry.Complete(registry.Join("alone", ""), Result(10), isReceived: false, isKeptElsewhere: true);
        Assert.Equal(0, registry.Count.Keys);

        var leader = registry.Join("awaited", "");
        var waiter = registry.Join("awaited", "");
        registry.Complete(leader, Result(10), isReceived: false, isKeptElsewhere: true);
        Assert.Equal(TurnKind.Adopt, Turn(waiter).Kind);
        registry.Missed(waiter);
        Assert.Equal(0, registry.Count.Keys);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Stress_RequestsJoinLeaveFailAndReceive_EachKeyRunsOnceAtATimeAndNothingIsLeft(int seed)
    {
        const int Keys = 20;
        const int Callers = 400;
        var registry = new ResendRegistry(_options, _clock);
        var running = new int[Keys];
        var runs = 0;
        var turns = 0;

        async Task CallAsync(int number)
        {
            var random = new Random((seed * 10_000) + number);
            await Task.Yield();
            var key = random.Next(Keys);
            var caller = registry.Join($"{key}", "");
            if (!caller.Turn.IsCompleted && random.Next(3) == 0)
            {
                await Task.Yield();
                if (registry.TryLeave(caller))
                {
                    Interlocked.Increment(ref turns);
                    return;
                }
            }

            var turn = await caller.Turn.WaitAsync(KestrelTestHost.Timeout);
            Interlocked.Increment(ref turns);
            if (turn.IsToRun)
            {
                Assert.Equal(1, Interlocked.Increment(ref running[key]));
                Interlocked.Increment(ref runs);
                for (var i = random.Next(20); i > 0; i--)
                {
                    await Task.Yield();
                }

                Assert.Equal(0, Interlocked.Decrement(ref running[key]));
                if (random.Next(3) == 0)
                {
                    registry.Fail(caller);
                }
                else
                {
                    registry.Complete(caller, Result(key), isReceived: random.Next(2) == 0, isKeptElsewhere: random.Next(4) == 0);
                }
            }
            else if (turn.Answer is { } answer)
            {
                Assert.Equal(key, answer.Body.Length);
                if (random.Next(2) == 0)
                {
                    registry.Received(caller);
                }
                else
                {
                    registry.Missed(caller);
                }
            }
            else
            {
                Assert.Equal(TurnKind.Superseded, turn.Kind);
            }
        }

        try
        {
            await Task.WhenAll(Enumerable.Range(0, Callers).Select(number => Task.Run(() => CallAsync(number))))
                .WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);
            Assert.Equal(Callers, turns);
            Assert.InRange(runs, 1, Callers);
            Assert.Equal(registry.Count.Keys, registry.Count.Retained);
            _clock.Advance(_options.ResultRetention);
            Assert.Equal((0, 0, 0), registry.Count);
            Assert.Equal(0, _clock.PendingTimers);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"Seed {seed} failed.", exception);
        }
    }

    private static CapturedResponse Result(int size) => new(200, [], new byte[size]);

    private static Turn Turn(ResendRegistry.Caller caller)
    {
        Assert.True(caller.Turn.IsCompletedSuccessfully);
        return caller.Turn.GetAwaiter().GetResult();
    }

    private static void Retain(ResendRegistry registry, string key) =>
        registry.Complete(registry.Join(key, ""), Result(10), isReceived: false, isKeptElsewhere: false);
}
