using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Reloading;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

[Collection(nameof(ProcessMeters))]
public sealed class LivePoolsTests
{
    private const string Name = "Connection 'live'";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_WhileAnObjectIsInUse_CountsIt_AndAfterTheHostNothing()
    {
        using var pools = new LivePools();
        var before = pools.Read().Count(pool => pool.Name == Name);
        using (var host = await StartAsync())
        {
            await using (var scope = host.Services.CreateResourceScope("test"))
            {
                await scope.Services.GetRequiredKeyedService<IRequestResource<Connection>>("live").GetAsync(Token);
                Assert.Contains(new PoolUse(Name, 0, Used: 1, Idle: 0, Waiting: 0, Max: 3), pools.Read());
            }

            Assert.Contains(new PoolUse(Name, 0, Used: 0, Idle: 1, Waiting: 0, Max: 3), pools.Read());
            await host.StopAsync(Token);
        }

        Assert.Equal((0, 0), (before, pools.Read().Count(pool => pool.Name == Name)));
    }

    [Fact]
    public void Read_OfPoolsThatWereThereFirst_CountsThem()
    {
        using var meter = new Meter("ResilientHosting");
        Publish(meter, used: 2);

        using var pools = new LivePools();

        Assert.Contains(new PoolUse("made up", 0, 2, 0, 0, 0), pools.Read());
    }

    [Fact]
    public void Read_OfAGenerationThatIsStillThere_TellsItApart()
    {
        using var pools = new LivePools();
        using var meter = new Meter("ResilientHosting");
        Publish(meter, used: 1);
        Generation.Current = LoadedGeneration(7);
        Publish(meter, used: 4);
        Generation.Current = null;

        Assert.Equal(
            [new PoolUse("made up", 0, 1, 0, 0, 0), new PoolUse("made up", 7, 4, 0, 0, 0)],
            pools.Read().Where(pool => pool.Name == "made up"));
    }

    [Fact]
    public void Meters_ThatHaveEnded_AreNotHeld()
    {
        using var pools = new LivePools();
        using var aborts = new LiveAborts(TimeProvider.System);
        var ended = MakeAndEnd(pools);

        for (var collection = 0; collection < 10 && ended.IsAlive; collection++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(ended.IsAlive);
    }

    [Fact]
    public async Task Read_ByMany_WhilePoolsComeAndGo_CountsTheOneThatStays()
    {
        const int Seed = 20_261_122;
        using var pools = new LivePools();
        using var steady = new Meter("ResilientHosting");
        Publish(steady, used: 5, "steady");
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var readers = Enumerable.Range(0, 4).Select(_ => Task.Run(
            () =>
            {
                while (!end.IsCancellationRequested)
                {
                    Assert.True(pools.Read().Single(pool => pool.Name == "steady").Used == 5, $"Seed {Seed}");
                }
            },
            Token)).ToArray();

        var random = new Random(Seed);
        for (var round = 0; round < 300; round++)
        {
            using var meter = new Meter("ResilientHosting");
            for (var pool = random.Next(3); pool >= 0; pool--)
            {
                Publish(meter, used: 1);
            }
        }

        await end.CancelAsync();
        await Task.WhenAll(readers).WaitAsync(KestrelTestHost.Timeout, Token);
    }

    private static async Task<IHost> StartAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddMetrics();
        builder.Services.AddRequestScopedResource("live", (_, _) => ValueTask.FromResult(new Connection())).UsePool(pool => pool.MaxSize = 3);
        var host = builder.Build();
        await host.StartAsync(Token);
        return host;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference MakeAndEnd(LivePools pools)
    {
        using var meter = new Meter("ResilientHosting");
        var observed = new Observed();
        meter.CreateObservableUpDownCounter("resilient_hosting.pool.max", observed.Read);
        meter.CreateCounter<long>("resilient_hosting.client_aborts").Add(1, new KeyValuePair<string, object?>("cause", "client"));
        pools.Read();
        Assert.True(observed.WasRead);
        return new WeakReference(observed);
    }

    private static void Publish(Meter meter, int used, string name = "made up") => meter.CreateObservableUpDownCounter(
        "resilient_hosting.pool.count",
        () => new Measurement<int>(used, new("resilient_hosting.resource.name", name), new("resilient_hosting.pool.state", "used")));

    private static Generation LoadedGeneration(int number) => new(number, System.Runtime.Loader.AssemblyLoadContext.Default);

    private sealed class Connection;

    private sealed class Observed
    {
        public bool WasRead { get; private set; }

        public int Read()
        {
            WasRead = true;
            return 1;
        }
    }
}
