using ResilientHosting.Benchmarks.Peers;
using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.Outages;

/// <summary>
/// Fifty requests at once, of 2 ms each, at a pool with five idle objects which could create more in 150 ms: how many does it create?
/// </summary>
internal static class Spike
{
    private const int Requests = 50;
    private const int Idle = 5;

    private static readonly TimeSpan CreateTime = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan WorkTime = TimeSpan.FromMilliseconds(2);
    private static readonly PoolLimits Limits = new(MaxSize: 50, AcquireTimeout: TimeSpan.FromSeconds(30));

    public static async Task RunAsync(Recorder recorder)
    {
        await MeasureAsync(recorder, async create => await ResourcePool<object>.StartAsync(create, pool =>
        {
            pool.MaxSize = Limits.MaxSize;
            pool.AcquireTimeout = Limits.AcquireTimeout;
        }));
        await MeasureAsync(recorder, create => Peer("semaphore", new SemaphorePool<object>(Limits.MaxSize, Objects(create))));
        await MeasureAsync(recorder, create => Peer("channel", new ChannelPool<object>(Limits.MaxSize, Objects(create))));
    }

    private static async Task MeasureAsync(Recorder recorder, Func<Func<CancellationToken, ValueTask<object>>, Task<IPool<object>>> start)
    {
        var created = 0;
        await using var pool = await start(async token =>
        {
            Interlocked.Increment(ref created);
            await Task.Delay(CreateTime, TimeProvider.System, token);
            return new object();
        });
        await FillAsync(pool);

        var began = TimeProvider.System.GetTimestamp();
        var served = new List<int>();
        await Task.WhenAll(Enumerable.Range(0, Requests).Select(request => pool.UseAsync(async _ =>
        {
            lock (served)
            {
                served.Add(request);
            }

            await Task.Delay(WorkTime, TimeProvider.System);
        })).ToList());
        var makespan = TimeProvider.System.GetElapsedTime(began);
        recorder.Add(
            [("pool", pool.Name), ("first come, first served", InOrder(served) ? "yes" : "no")],
            [("objects", created), ("makespan ms", makespan.TotalMilliseconds)]);
    }

    /// <summary>Leaves five idle objects: as many users hold one at the same time, and give it back.</summary>
    private static async Task FillAsync(IPool<object> pool)
    {
        var everyone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var holding = 0;
        await Task.WhenAll(Enumerable.Range(0, Idle).Select(_ => pool.UseAsync(_ =>
        {
            if (Interlocked.Increment(ref holding) == Idle)
            {
                everyone.SetResult();
            }

            return everyone.Task;
        })).ToList());
    }

    /// <summary>Requests handed an object in the same instant may note it in any order; one that overtook others by more has jumped the queue.</summary>
    private static bool InOrder(List<int> served) => served.Select((request, place) => Math.Abs(request - place)).Max() <= Idle;

    private static Task<IPool<object>> Peer(string name, IPeerPool<object> pool) =>
        Task.FromResult<IPool<object>>(new PeerPool<object>(name, pool, Limits));

    private static Pooled<object> Objects(Func<CancellationToken, ValueTask<object>> create) =>
        new(create, _ => true, _ => ValueTask.CompletedTask);
}
