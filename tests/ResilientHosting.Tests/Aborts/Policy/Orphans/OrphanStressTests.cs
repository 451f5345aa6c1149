using System.Collections.Concurrent;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy.Orphans;

/// <summary>
/// Many requests whose clients leave, whose time runs out and whose handlers end at random moments, from several threads, with the
/// host stopping in the middle. Whatever the order, the promises of the tokens, the limits and the records hold.
/// </summary>
public sealed class OrphanStressTests
{
    private const int Requests = 400;
    private const int Threads = 4;
    private const int MaxOrphans = 5;
    private const int MaxOrphansPerClient = 2;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task Requests_AnythingAtAnyMoment_EveryPromiseHolds(int seed)
    {
        using var logs = new LogCollector();
        using var host = new StressHost(logs, new ClientAbortOptions
        {
            MaxOrphans = MaxOrphans,
            MaxOrphansPerClient = MaxOrphansPerClient,
            OrphanHardCap = TimeSpan.FromSeconds(30),
            ClientKey = StressRequest.ClientOf,
            DetailSampling = 3,
        });
        var timersBefore = host.Clock.PendingTimers;
        var random = new Random(seed);
        var limits = new ObservedLimits(MaxOrphans, MaxOrphansPerClient);
        var requests = Enumerable.Range(0, Requests).Select(number => new StressRequest(number, random, host, limits)).ToList();

        await RunInRandomOrderAsync(requests, random, host);
        await Task.WhenAll(requests.Select(request => request.EndedAsync())).WaitAsync(
            KestrelTestHost.Timeout, TestContext.Current.CancellationToken);

        Assert.Equal((default, 0), host.Orphans.Loads);
        Assert.Empty(limits.Violations);
        Assert.InRange(limits.Highest, 1, MaxOrphans);

        // Only the watchdog may still be waiting: every timer of a request has gone with it.
        Assert.InRange(host.Clock.PendingTimers, timersBefore, timersBefore + 1);
        var recorded = logs.Lines.Where(line => line.Event.Name == "ClientAborted")
            .GroupBy(line => line.Message.Split(' ')[0]).ToDictionary(lines => lines.Key, lines => lines.Count());
        Assert.All(requests, request => request.Verify(recorded.GetValueOrDefault(request.Name)));

        // Whatever comes now comes too late.
        foreach (var request in requests)
        {
            request.Leave();
            request.TimeOut();
        }

        host.Clock.Advance(TimeSpan.FromDays(2));
        host.Stop();
        Assert.All(requests, request => request.VerifyNothingFiredLate());
        Assert.Equal(timersBefore, host.Clock.PendingTimers);
        logs.Expect("OrphanCut").Expect("OrphanDoesNotStop").AssertQuiet();
        requests.ForEach(request => request.Dispose());
    }

    private static async Task RunInRandomOrderAsync(List<StressRequest> requests, Random random, StressHost host)
    {
        var actions = requests.SelectMany(request => request.Actions).ToList();
        for (var i = 0; i < Requests / 4; i++)
        {
            // At most a few minutes in all: less than the deferrals that must hold.
            var step = TimeSpan.FromMilliseconds(random.Next(2000));
            actions.Add((random.NextDouble(), () => host.Advance(step)));
        }

        actions.Add((0.7, host.BeginToStop));
        var queue = new ConcurrentQueue<Action>(actions.OrderBy(action => action.At).Select(action => action.Run));

        // Threads of their own: the pool's are for the handlers.
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(
            () =>
            {
                while (queue.TryDequeue(out var action))
                {
                    action();
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default))).WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);
    }
}
