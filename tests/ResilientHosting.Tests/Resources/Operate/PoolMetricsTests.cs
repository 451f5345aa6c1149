using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

public sealed class PoolMetricsTests
{
    private readonly ManualTimeProvider _time = new();

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("resilient_hosting.pool", "resilient_hosting.resource.name=Alpha 'orders'")]
    [InlineData("db.client.connection", "db.client.connection.pool.name=Alpha 'orders' db.system.name=postgresql")]
    public async Task Instruments_MeasureThePool(string prefix, string tags)
    {
        var (services, logs) = ResourceTestHost.BuildServices(
            collection => collection
                .AddRequestScopedResource("orders", async (_, _) =>
                {
                    await Task.Yield();
                    _time.Advance(TimeSpan.FromSeconds(0.25));
                    return new Alpha();
                })
                .UsePool(pool => (pool.MaxSize, pool.AcquireTimeout) = (1, TimeSpan.FromSeconds(3)))
                .EmitDbClientMetrics("postgresql"),
            _time);
        await using var root = services;
        root.GetRequiredKeyedService<IResourcePool<Alpha>>("orders");
        using var values = new MeasuredValues(root);

        await using (var first = root.CreateResourceScope("first"))
        {
            await first.GetAsync<Alpha>("orders", Test).Bounded();
            _time.Advance(TimeSpan.FromSeconds(1));

            await using (var late = root.CreateResourceScope("late"))
            {
                var starved = late.GetAsync<Alpha>("orders", Test);
                var observed = values.Observe();
                Assert.Equal(1, observed[$"{prefix}.count {tags} {prefix}.state=used"]);
                Assert.Equal(0, observed[$"{prefix}.count {tags} {prefix}.state=idle"]);
                Assert.Equal(1, observed[$"{prefix}.pending_requests {tags}"]);
                Assert.Equal(1, observed[$"{prefix}.max {tags}"]);
                Assert.Equal(1, observed[$"{prefix}.idle.max {tags}"]);
                Assert.Equal(0, observed[$"{prefix}.idle.min {tags}"]);

                _time.Advance(TimeSpan.FromSeconds(3));
                await Assert.ThrowsAsync<ResourceAcquireTimeoutException>(() => starved.Bounded());
                var reason = prefix == "db.client.connection" ? "" : " resilient_hosting.pool.timeout.reason=Exhausted";
                Assert.Equal([1.0], values[$"{prefix}.timeouts {tags}{reason}"]);
                Assert.Empty(values[$"{prefix}.wait_time {tags}"]);
            }

            await using var second = root.CreateResourceScope("second");
            var waiting = second.GetAsync<Alpha>("orders", Test);
            _time.Advance(TimeSpan.FromSeconds(2));
            await first.Services.GetRequiredKeyedService<IRequestResource<Alpha>>("orders").ReleaseAsync();
            await waiting.Bounded();
            Assert.Equal([2.0], values[$"{prefix}.wait_time {tags}"]);
            Assert.Equal([6.0], values[$"{prefix}.use_time {tags}"]);
        }

        Assert.Equal(1, values.Observe()[$"{prefix}.count {tags} {prefix}.state=idle"]);
        await using (var third = root.CreateResourceScope("third"))
        {
            await third.GetAsync<Alpha>("orders", Test).Bounded();
            Assert.Equal([0.0], values[$"{prefix}.wait_time {tags}"]);
        }

        logs.AssertQuiet();
    }

    [Theory]
    [InlineData("resilient_hosting.pool")]
    [InlineData("db.client.connection")]
    public async Task Creation_IsMeasured(string prefix)
    {
        var (services, _) = ResourceTestHost.BuildServices(
            collection => collection
                .AddRequestScopedResource<Alpha>(async (_, _) =>
                {
                    await Task.Yield();
                    _time.Advance(TimeSpan.FromSeconds(0.25));
                    return new Alpha();
                })
                .UsePool().EmitDbClientMetrics("sqlite"),
            _time);
        await using var root = services;
        using var values = new MeasuredValues(root, instrument => instrument.Name.StartsWith(prefix, StringComparison.Ordinal));

        await using var scope = root.CreateResourceScope("test");
        await scope.GetAsync<Alpha>(Test).Bounded();

        var tags = prefix == "db.client.connection"
            ? "db.client.connection.pool.name=Alpha db.system.name=sqlite" : "resilient_hosting.resource.name=Alpha";
        Assert.Equal([0.25], values[$"{prefix}.create_time {tags}"]);
    }

    [Fact]
    public async Task DbClientInstruments_AreThoseOfTheConvention()
    {
        await using var root = ResourceTestHost.BuildServices(
            collection => collection.AddRequestScopedResource<Alpha>().UsePool().EmitDbClientMetrics("sqlite")).Services;
        root.GetRequiredService<IResourcePool<Alpha>>();
        using var values = new MeasuredValues(root, instrument => instrument.Name.StartsWith("db.", StringComparison.Ordinal));

        Assert.Equal(
            [
                "db.client.connection.count ObservableUpDownCounter {connection}",
                "db.client.connection.create_time Histogram s",
                "db.client.connection.idle.max ObservableUpDownCounter {connection}",
                "db.client.connection.idle.min ObservableUpDownCounter {connection}",
                "db.client.connection.max ObservableUpDownCounter {connection}",
                "db.client.connection.pending_requests ObservableUpDownCounter {request}",
                "db.client.connection.timeouts Counter {timeout}",
                "db.client.connection.use_time Histogram s",
                "db.client.connection.wait_time Histogram s",
            ],
            values.Instruments.Select(instrument => $"{instrument.Name} {instrument.GetType().Name.Split('`')[0]} {instrument.Unit}").Order());
    }

    [Fact]
    public async Task DbClientInstruments_NotAskedFor_DoNotExist()
    {
        await using var root = ResourceTestHost.BuildServices(
            collection => collection.AddRequestScopedResource<Alpha>().UsePool()).Services;
        root.GetRequiredService<IResourcePool<Alpha>>();
        using var values = new MeasuredValues(root);

        Assert.DoesNotContain(values.Instruments, instrument => instrument.Name.StartsWith("db.", StringComparison.Ordinal));
        Assert.Contains(values.Instruments, instrument => instrument.Name == "resilient_hosting.pool.count");
    }

    [Fact]
    public async Task Host_Started_ShowsPoolsNobodyHasUsed()
    {
        await using var host = await KestrelTestHost.StartAsync(_ => { }, builder =>
        {
            builder.Services.AddRequestScopedResource<Alpha>().UsePool(pool => pool.MaxSize = 3);
            builder.Services.AddRequestScopedResource("second", (_, _) => ValueTask.FromResult(new Alpha())).UsePool(pool => pool.MaxSize = 4);
        });
        using var values = new MeasuredValues(host.App.Services);

        var observed = values.Observe();

        Assert.Equal(3, observed["resilient_hosting.pool.max resilient_hosting.resource.name=Alpha"]);
        Assert.Equal(4, observed["resilient_hosting.pool.max resilient_hosting.resource.name=Alpha 'second'"]);
    }

    [Fact]
    public async Task AcquireAndRelease_NobodyListens_AllocatesNothing()
    {
        await using var root = ResourceTestHost.BuildServices(
            collection => collection.AddRequestScopedResource<Alpha>().UsePool().EmitDbClientMetrics("sqlite")).Services;
        await using var scope = root.CreateResourceScope("test");
        await scope.GetAsync<Alpha>(Test).Bounded();
        await scope.Services.GetRequiredService<IRequestResource<Alpha>>().ReleaseAsync();
        var source = root.GetRequiredService<ResourceDefinition<Alpha>>().Source;
        var context = new TeardownContext(new ScopeOutcome(ScopeOutcomeKind.Succeeded), scope.Services, CancellationToken.None);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            Assert.True(source.TryAcquire(scope.Stack, out var lease));
            await source.ReturnAsync(lease, context);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
