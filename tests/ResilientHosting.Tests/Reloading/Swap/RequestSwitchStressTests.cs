using Microsoft.AspNetCore.Http.Features;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>
/// Requests come and go while generations follow each other as fast as they can. Every request runs exactly once, and none in an
/// application whose drain has ended.
/// </summary>
public sealed class RequestSwitchStressTests
{
    private const int Seed = 20_260_101;
    private const int Swaps = 3_000;
    private const int Clients = 8;

    private readonly RequestSwitch _requests = new(TimeProvider.System);
    private long _violations;
    private long _processed;

    [Fact]
    public async Task ConcurrentRequests_WhileGenerationsFollowEachOther_RunOnceAndNeverInADrainedOne()
    {
        var served = Next(0);
        _requests.Publish(served.Running);
        using var enough = new CancellationTokenSource();
        var clients = Enumerable.Range(0, Clients)
            .Select(client => Task.Run(() => SendAsync(new Random(Seed + client), enough.Token), TestContext.Current.CancellationToken))
            .ToArray();

        long held = 0;
        for (var number = 1; number <= Swaps; number++)
        {
            await served.FirstRequest.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);
            _requests.Hold();
            Assert.Empty(await served.Running.DrainAsync(KestrelTestHost.Timeout, TimeProvider.System));
            served.EndDrain();
            served = Next(number);
            held += _requests.Publish(served.Running);
        }

        await enough.CancelAsync();
        var sent = (await Task.WhenAll(clients).WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken)).Sum();

        Assert.True(_violations == 0, $"{_violations} requests ran in an application whose drain had ended (seed {Seed}).");
        Assert.Equal(sent, _processed);
        Assert.InRange(held, 1, sent + (Swaps * Clients));

        // Nobody waits any more, so as many places are free as there ever were.
        _requests.Options = new DevReloaderOptions { MaxHeldRequests = 1 };
        _requests.Hold();
        using var last = new FakeRequest();
        var entering = _requests.EnterAsync(last.Switched).AsTask();
        Assert.False(entering.IsFaulted);
        _requests.Publish(Next(Swaps + 1).Running);
        await entering.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);
    }

    private async Task<long> SendAsync(Random random, CancellationToken enough)
    {
        long sent = 0;
        while (!enough.IsCancellationRequested)
        {
            using var request = new FakeRequest();
            var application = await _requests.EnterAsync(request.Switched);
            request.Switched.Features.Set(new Steps(random.Next(3)));
            await request.Switched.RunAsync(application);
            request.Switched.Finish(null);
            sent++;
            if (random.Next(4) == 0)
            {
                await Task.Yield();
            }
        }

        return sent;
    }

    private Drainable Next(int number) => new(this, number);

    private sealed record Steps(int Count);

    private sealed class Drainable
    {
        private readonly RequestSwitchStressTests _test;
        private readonly TaskCompletionSource _firstRequest = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _drained;

        public Drainable(RequestSwitchStressTests test, int number)
        {
            _test = test;
            Running = FakeApplication.Running(number, HandleAsync);
        }

        public RunningApplication Running { get; }

        public Task FirstRequest => _firstRequest.Task;

        public void EndDrain() => _drained = true;

        private async Task HandleAsync(IFeatureCollection features)
        {
            _firstRequest.TrySetResult();
            for (var step = features.GetRequiredFeature<Steps>().Count; step > 0; step--)
            {
                await Task.Yield();
            }

            Interlocked.Increment(ref _test._processed);
            if (_drained)
            {
                Interlocked.Increment(ref _test._violations);
            }
        }
    }
}
