using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

/// <summary>A pool as its operator sees it: through <see cref="IResourcePool{T}"/> of a running host.</summary>
public sealed class ResourcePoolOperationTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly Ledger _ledger = new();

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pool_IsTakenFromTheServicesByItsName()
    {
        await using var host = await StartAsync(services =>
        {
            services.AddRequestScopedResource<Alpha>().UsePool(pool => pool.MaxSize = 1);
            services.AddRequestScopedResource("second", (_, _) => ValueTask.FromResult(new Alpha())).UsePool(pool => pool.MaxSize = 2);
            services.AddRequestScopedResource<Beta>();
        });
        var services = host.App.Services;

        Assert.Equal(1, services.GetRequiredService<IResourcePool<Alpha>>().Statistics.Max);
        Assert.Equal(2, services.GetRequiredKeyedService<IResourcePool<Alpha>>("second").Statistics.Max);
        Assert.Null(services.GetService<IResourcePool<Beta>>());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("second")]
    public async Task Statistics_FollowALease(string? name)
    {
        await using var host = await StartAsync(services => Add(services, name, maxSize: 1));
        var pool = host.App.Services.GetRequiredKeyedService<IResourcePool<Alpha>>(name);
        Assert.Equal(new ResourcePoolStatistics(0, 0, 0, 0, 0, 0, 1), pool.Statistics);

        await using (var scope = host.App.Services.CreateResourceScope("first"))
        {
            await GetAsync(scope, name).Bounded();
            Assert.Equal(new ResourcePoolStatistics(1, 1, 0, 0, 0, 0, 1), pool.Statistics);
            await using var second = host.App.Services.CreateResourceScope("second");
            var waiting = GetAsync(second, name);
            Assert.Equal(new ResourcePoolStatistics(1, 1, 0, 0, 0, 1, 1), pool.Statistics);
            await scope.DisposeAsync();
            await waiting.Bounded();
        }

        Assert.Equal(new ResourcePoolStatistics(1, 0, 1, 0, 0, 0, 1), pool.Statistics);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("second")]
    public async Task Pause_HoldsWhoAsks_ResumeLetsThemGoInOrder(string? name)
    {
        await using var host = await StartAsync(services => Add(services, name, maxSize: 1));
        var pool = host.App.Services.GetRequiredKeyedService<IResourcePool<Alpha>>(name);
        await using (var warm = host.App.Services.CreateResourceScope("warm"))
        {
            await GetAsync(warm, name).Bounded();
        }

        pool.Pause();
        var scopes = Enumerable.Range(0, 4).Select(i => host.App.Services.CreateResourceScope($"asker {i}")).ToList();
        var asked = scopes.Select(scope => GetAsync(scope, name).AsTask()).ToList();
        Assert.Equal((4, 1, 0), (pool.Statistics.Waiting, pool.Statistics.Idle, pool.Statistics.Used));

        pool.Resume();

        for (var i = 0; i < 4; i++)
        {
            await asked[i].Bounded();
            Assert.All(asked.Skip(i + 1), later => Assert.False(later.IsCompleted));
            await scopes[i].DisposeAsync();
        }

        Assert.Single(_ledger.Created);
    }

    [Fact]
    public async Task Pause_LongerThanTheTimeout_FailsWhoAsks()
    {
        await using var host = await StartAsync(services => Add(services, name: null, maxSize: 1));
        var pool = host.App.Services.GetRequiredService<IResourcePool<Alpha>>();
        pool.Pause();
        await using var scope = host.App.Services.CreateResourceScope("asker");
        var asked = scope.GetAsync<Alpha>(Test).AsTask();

        _time.Advance(TimeSpan.FromSeconds(29.9));
        Assert.False(asked.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));

        await Assert.ThrowsAsync<ResourceAcquireTimeoutException>(() => asked.Bounded());
        pool.Resume();
        Assert.NotNull(await scope.GetAsync<Alpha>(Test).Bounded());
    }

    [Fact]
    public async Task Clear_ReplacesIdleOnesNowAndThoseInUseWhenTheyComeBack()
    {
        await using var host = await StartAsync(services => Add(services, name: null, maxSize: 2));
        var pool = host.App.Services.GetRequiredService<IResourcePool<Alpha>>();
        await using var user = host.App.Services.CreateResourceScope("user");
        var used = await user.GetAsync<Alpha>(Test).Bounded();
        Alpha idle;
        await using (var other = host.App.Services.CreateResourceScope("other"))
        {
            idle = await other.GetAsync<Alpha>(Test).Bounded();
        }

        pool.Clear();

        await _ledger.NextOutcomeAsync();
        Assert.Equal((1, 0), (idle.Teardowns, used.Teardowns));
        await user.DisposeAsync();
        await _ledger.NextOutcomeAsync();
        Assert.Equal(1, used.Teardowns);
        await using var next = host.App.Services.CreateResourceScope("next");
        var created = await next.GetAsync<Alpha>(Test).Bounded();
        Assert.NotSame(used, created);
        Assert.NotSame(idle, created);
    }

    [Fact]
    public async Task Stop_TearsEverythingDown()
    {
        var host = await StartAsync(services => Add(services, name: null, maxSize: 2));
        await using (host)
        {
            await using var scope = host.App.Services.CreateResourceScope("user");
            await scope.GetAsync<Alpha>(Test).Bounded();
        }

        _ledger.AssertBalanced();
    }

    private Task<KestrelTestHost> StartAsync(Action<IServiceCollection> configure) => KestrelTestHost.StartAsync(_ => { }, builder =>
    {
        builder.Services.AddSingleton<TimeProvider>(_time);
        configure(builder.Services);
    });

    private void Add(IServiceCollection services, string? name, int maxSize)
    {
        var builder = name is null
            ? services.AddRequestScopedResource((_, _) => ValueTask.FromResult(_ledger.Create<Alpha>()), _ledger.TearDown)
            : services.AddRequestScopedResource(name, (_, _) => ValueTask.FromResult(_ledger.Create<Alpha>()), _ledger.TearDown);
        builder.UsePool(pool => pool.MaxSize = maxSize);
    }

    private static ValueTask<Alpha> GetAsync(ResourceScope scope, string? name) =>
        name is null ? scope.GetAsync<Alpha>(Test) : scope.GetAsync<Alpha>(name, Test);
}
