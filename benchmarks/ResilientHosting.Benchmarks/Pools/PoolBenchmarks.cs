using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.ObjectPool;
using ResilientHosting.Benchmarks.Peers;

namespace ResilientHosting.Benchmarks;

/// <summary>Acquire and release while objects are idle, by one thread and by two at the same time.</summary>
[MemoryDiagnoser]
public class PoolBenchmarks
{
    private const int Operations = 50_000;
    private const int MaxSize = 8;

    private readonly ObjectPool<Item> _objectPool = new DefaultObjectPool<Item>(new DefaultPooledObjectPolicy<Item>(), MaxSize);
    private readonly ChannelPool<Item> _channelPool = new(MaxSize, Items);
    private readonly SemaphorePool<Item> _semaphorePool = new(MaxSize, Items);
    private LibraryPool<Item>? _library;
    private Crew? _crew;

    [Params(1, 2)]
    public int Threads { get; set; }

    private static Pooled<Item> Items => new(_ => new ValueTask<Item>(new Item()), _ => true, _ => ValueTask.CompletedTask);

    [GlobalSetup]
    public async Task StartAsync()
    {
        _library = await LibraryPool<Item>.StartAsync(() => new Item(), MaxSize);
        _crew = new Crew(Threads);
    }

    [GlobalCleanup]
    public async Task StopAsync()
    {
        _crew!.Dispose();
        await _library!.DisposeAsync();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Operations)]
    public void ObjectPool() => _crew!.Run(() =>
    {
        for (var i = 0; i < Operations; i++)
        {
            _objectPool.Return(_objectPool.Get());
        }
    });

    [Benchmark(OperationsPerInvoke = Operations)]
    public void ChannelPool() => _crew!.Run(() => Cycle(_channelPool));

    [Benchmark(OperationsPerInvoke = Operations)]
    public void SemaphorePool() => _crew!.Run(() => Cycle(_semaphorePool));

    [Benchmark(OperationsPerInvoke = Operations)]
    public void ResilientHosting() => _crew!.Run(() =>
    {
        var (pool, holder) = (_library!.Pool, _library.Holder);
        for (var i = 0; i < Operations; i++)
        {
            pool.Return(pool.TryAcquire(holder) ?? throw Waited(), isSuspect: false);
        }
    });

    private static void Cycle(IPeerPool<Item> pool)
    {
        for (var i = 0; i < Operations; i++)
        {
            Completed(pool.ReturnAsync(Completed(pool.AcquireAsync(CancellationToken.None))));
        }
    }

    /// <summary>More objects than threads: nobody ever waits.</summary>
    private static T Completed<T>(ValueTask<T> task) => task.IsCompletedSuccessfully ? task.Result : throw Waited();

    private static void Completed(ValueTask task)
    {
        if (!task.IsCompletedSuccessfully)
        {
            throw Waited();
        }

        task.GetAwaiter().GetResult();
    }

    private static InvalidOperationException Waited() => new("An operation did not complete at once although objects were idle.");

    private sealed class Item;
}
