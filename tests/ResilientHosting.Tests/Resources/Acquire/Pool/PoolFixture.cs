using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources.Acquire;

public sealed class Item(int number)
{
    public int Number { get; } = number;

    public bool IsTornDown { get; set; }
}

/// <summary>One pool on services without a server, with a clock that stands still. What its user code does is set by the test.</summary>
internal sealed class PoolFixture : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private int _created;

    public PoolFixture(Action<ResourcePoolOptions<Item>>? configure = null, Action<IServiceCollection>? services = null)
    {
        (_services, Logs) = ResourceTestHost.BuildServices(
            collection =>
            {
                collection.AddRequestScopedResource<Item>(
                    async (context, token) =>
                    {
                        await Dials.Writer.WriteAsync(context, CancellationToken.None);
                        await Creating(token);
                        return new Item(Interlocked.Increment(ref _created));
                    },
                    async (item, context) =>
                    {
                        Assert.False(item.IsTornDown);
                        item.IsTornDown = true;
                        await TearingDown(item);
                        await TornDown.Writer.WriteAsync((item, context.Outcome.Kind), CancellationToken.None);
                    }).UsePool(configure);
                services?.Invoke(collection);
            },
            Time);
        Source = (PoolSource<Item>)_services.GetRequiredService<ResourceDefinition<Item>>().Source;
    }

    public ManualTimeProvider Time { get; } = new();

    public LogCollector Logs { get; }

    public IServiceProvider Services => _services;

    public PoolSource<Item> Source { get; }

    public ResourcePool<Item> Pool => Source.Pool;

    /// <summary>What the factory waits for after it was called.</summary>
    public Func<CancellationToken, Task> Creating { get; set; } = _ => Task.CompletedTask;

    public Func<Item, Task> TearingDown { get; set; } = _ => Task.CompletedTask;

    /// <summary>The calls of the factory.</summary>
    public Channel<ResourceContext> Dials { get; } = Channel.CreateUnbounded<ResourceContext>();

    public Channel<(Item Item, ScopeOutcomeKind Outcome)> TornDown { get; } = Channel.CreateUnbounded<(Item, ScopeOutcomeKind)>();

    public int Created => Volatile.Read(ref _created);

    public ResourceScope OpenScope(string name = "test") => _services.CreateResourceScope(name);

    /// <summary>Acquires for a scope of its own, which is never closed: entries are returned to the pool directly.</summary>
    public Task<PoolEntry<Item>> AcquireAsync() => AcquireUntilAsync(CancellationToken.None);

    public Task<PoolEntry<Item>> AcquireUntilAsync(CancellationToken cancelled) =>
        Pool.AcquireAsync(OpenScope().Stack, lineage: null, cancelled).AsTask();

    /// <summary>Takes the item of a scope, as its user would.</summary>
    public static Task<Item> TakeAsync(ResourceScope scope) => scope.GetAsync<Item>(TestContext.Current.CancellationToken).Bounded();

    public async Task<PoolEntry<Item>[]> AcquireAsync(int count)
    {
        var entries = new PoolEntry<Item>[count];
        for (var i = 0; i < count; i++)
        {
            entries[i] = await AcquireAsync().Bounded();
        }

        return entries;
    }

    /// <summary>Waits for the next call of the factory.</summary>
    public async Task<ResourceContext> NextDialAsync() => await Dials.Reader.ReadAsync(TestContext.Current.CancellationToken).Bounded();

    public async Task<(Item Item, ScopeOutcomeKind Outcome)> NextTornDownAsync() =>
        await TornDown.Reader.ReadAsync(TestContext.Current.CancellationToken).Bounded();

    /// <summary>Waits until the background has come to this. It tells nobody, so this looks again and again.</summary>
    public async Task UntilAsync(Func<ResourcePoolStatistics, bool> reached)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!reached(Pool.Statistics))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < KestrelTestHost.Timeout, $"Still {Pool.Statistics}");
            await Task.Yield();
        }
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
