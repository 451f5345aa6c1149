using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

/// <summary>What is done wrong with resources is told exactly, with the cure. Where a rule has tests of its own, they are there.</summary>
public sealed class MisuseTests
{
    private readonly Ledger _ledger = new();

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Fact]
    public void TwoStrategies_AreRefusedAtOnce()
    {
        var builder = new ServiceCollection().AddRequestScopedResource("search", (_, _) => ValueTask.FromResult(new Alpha())).UsePool();

        var exception = Assert.Throws<InvalidOperationException>(builder.SharedPerHost);

        Assert.Equal(
            "Resource Alpha 'search' has the strategy UsePool already, and SharedPerHost would be a second one. Keep one.", exception.Message);
        Assert.Throws<InvalidOperationException>(() => builder.UsePool());
        Assert.Throws<InvalidOperationException>(() => builder.UseObjectPool());
    }

    [Fact]
    public void ObjectPool_OfNothing_IsRefusedAtOnce()
    {
        var builder = new ServiceCollection().AddRequestScopedResource<Alpha>();

        var exception = Assert.Throws<ArgumentOutOfRangeException>(() => builder.UseObjectPool(0));

        Assert.StartsWith("An object pool retains at least one object.", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_EverythingWrong_IsListedAtOnce()
    {
        var (services, _) = ResourceTestHost.BuildServices(collection =>
        {
            collection.AddRequestScopedResource<Alpha>().UsePool(pool =>
            {
                pool.MaxSize = 0;
                pool.AcquireTimeout = TimeSpan.Zero;
            });
            collection.Configure<RequestResourceOptions>(options => options.DrainTimeout = TimeSpan.FromSeconds(-1));
        });
        await using var root = services;

        var exception = Assert.Throws<AggregateException>(root.GetRequiredService<IStartupValidator>().Validate);

        Assert.Equal(
            [
                "Property RequestResourceOptions.DrainTimeout: must be zero or more and at most 1.00:00:00, but is -00:00:01.",
                "Property ResourcePoolOptions.AcquireTimeout: Pool of Alpha: must be more than zero and at most 1.00:00:00, but is 00:00:00.",
                "Property ResourcePoolOptions.MaxSize: Pool of Alpha: must be 1 to 100000, but is 0.",
            ],
            exception.InnerExceptions.Cast<OptionsValidationException>().SelectMany(one => one.Failures).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Teardown_AsksForAResourceThatDoesNotExist_IsToldAndReported()
    {
        var (services, logs) = ResourceTestHost.BuildServices(collection =>
        {
            collection.AddTracked<Alpha>(_ledger);
            collection.AddRequestScopedResource<Beta>(
                (_, _) => new(new Beta()),
                async (_, end) => await end.Services.GetRequiredService<IRequestResource<Alpha>>().GetAsync(end.Deadline));
        });
        await using var root = services;
        logs.Expect("TeardownFailed");

        await root.RunInResourceScopeAsync("job", async (scope, token) => await scope.GetAsync<Beta>(token), Test);

        var exception = Assert.IsType<ResourceScopeClosedException>(logs.Only("TeardownFailed").Exception);
        Assert.Equal(
            "Resource Alpha cannot be created: its scope 'job' is being torn down with outcome Succeeded. A teardown can use what the scope " +
            "has created before; what else it needs, its factory asks for. Work that outlives its scope opens its own with " +
            "RunInResourceScopeAsync or CreateResourceScope on the host's services, or takes the object along with Detach().",
            exception.Message);
        Assert.Empty(_ledger.Created);
    }

    [Fact]
    public async Task Teardown_AsksForItself_IsTold()
    {
        var (services, logs) = ResourceTestHost.BuildServices(collection => collection.AddRequestScopedResource<Alpha>(
            (_, _) => new(new Alpha()),
            async (_, end) => await end.Services.GetRequiredService<IRequestResource<Alpha>>().GetAsync(end.Deadline)));
        await using var root = services;
        logs.Expect("TeardownFailed");

        await root.RunInResourceScopeAsync("job", async (scope, token) => await scope.GetAsync<Alpha>(token), Test).Bounded();

        Assert.IsType<ResourceScopeClosedException>(logs.Only("TeardownFailed").Exception);
    }

    [Fact]
    public async Task EarlyRelease_ItsTeardownAsksForItself_RunsIntoTheDeadlineInsteadOfForEver()
    {
        var time = new ManualTimeProvider();
        var teardowns = 0;
        var (services, logs) = ResourceTestHost.BuildServices(
            collection => collection.AddRequestScopedResource<Alpha>(
                (_, _) => new(new Alpha()),
                async (_, end) =>
                {
                    if (++teardowns == 1)
                    {
                        await end.Services.GetRequiredService<IRequestResource<Alpha>>().GetAsync(end.Deadline);
                    }
                }),
            time);
        await using var root = services;
        var scope = root.CreateResourceScope("job");
        await scope.GetAsync<Alpha>(Test);

        var release = scope.Services.GetRequiredService<IRequestResource<Alpha>>().ReleaseAsync().AsTask();
        time.Advance(TimeSpan.FromSeconds(5));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => release.Bounded());
        await scope.DisposeAsync();
        logs.AssertQuiet();
    }

    [Fact]
    public async Task ParallelUse_IsNoMisuse()
    {
        var (services, logs) = ResourceTestHost.BuildServices(collection => collection.AddTracked<Alpha>(_ledger));
        await using (services)
        {
            await using var scope = services.CreateResourceScope("job");
            var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();
            using var start = new Barrier(4);

            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(
                async () =>
                {
                    Assert.True(start.SignalAndWait(KestrelTestHost.Timeout, Test));
                    for (var i = 0; i < 1000; i++)
                    {
                        Assert.Equal(0, (await resource.GetAsync(Test)).Teardowns);
                    }
                },
                Test))).Bounded();
        }

        Assert.Single(_ledger.Created);
        _ledger.AssertBalanced();
        logs.AssertQuiet();
    }
}
