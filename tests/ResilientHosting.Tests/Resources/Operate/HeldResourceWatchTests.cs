using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

public sealed class HeldResourceWatchTests
{
    private readonly ManualTimeProvider _time = new();

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Request_HoldsForLong_IsNamedOnceWithTraceAndAdvice()
    {
        var entered = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var leave = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await KestrelTestHost.StartAsync(
            app => app.MapGet("/stream", async (IRequestResource<Alpha> alpha) =>
            {
                await alpha.GetAsync(Test);
                entered.SetResult(Activity.Current?.TraceId.ToString());
                await leave.Task;
            }),
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(_time);
                builder.Services.AddRequestScopedResource<Alpha>();
            });
        host.Logs.Expect("HeldTooLong");
        using var values = new MeasuredValues(host.App.Services);
        using var request = host.Client.GetAsync(new Uri("/stream", UriKind.Relative), Test);
        var trace = await entered.Task.Bounded();
        Assert.NotNull(trace);

        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Empty(Warnings(host.Logs));
        _time.Advance(TimeSpan.FromMinutes(10));

        Assert.Equal(
            $"Scope 'HTTP: GET /stream' (trace {trace}) has held Alpha for more than 00:01:00, and so have 0 other scopes of that name. " +
            "If it is not in use all that time, give it back between uses with ReleaseAsync, or open a scope for each step.",
            Assert.Single(Warnings(host.Logs)));
        Assert.Equal([1.0], values["resilient_hosting.resource.held_long resilient_hosting.resource.name=Alpha"]);
        leave.SetResult();
        await request.Bounded();
    }

    [Fact]
    public async Task Scopes_OfOneName_AreOneWarning()
    {
        var (services, logs) = Build(collection => collection.AddRequestScopedResource<Alpha>());
        await using var root = services;
        var scopes = Enumerable.Range(0, 5).Select(_ => root.CreateResourceScope("stream")).ToList();
        foreach (var scope in scopes)
        {
            await scope.GetAsync<Alpha>(Test);
        }

        _time.Advance(TimeSpan.FromMinutes(2));

        Assert.Contains("and so have 4 other scopes", Assert.Single(Warnings(logs)), StringComparison.Ordinal);
        scopes.ForEach(scope => _ = scope.DisposeAsync().AsTask());
    }

    [Fact]
    public async Task Scope_ReleasesBetweenUses_IsNotNamed()
    {
        var (services, logs) = Build(collection => collection.AddRequestScopedResource<Alpha>());
        await using var root = services;
        await using var scope = root.CreateResourceScope("stream");
        var alpha = scope.Services.GetRequiredService<IRequestResource<Alpha>>();

        for (var i = 0; i < 10; i++)
        {
            await alpha.GetAsync(Test);
            _time.Advance(TimeSpan.FromSeconds(40));
            await alpha.ReleaseAsync();
        }

        Assert.Empty(Warnings(logs));
    }

    [Fact]
    public async Task SharedObject_HeldForLong_IsNobodysConcern()
    {
        var (services, logs) = Build(collection => collection.AddRequestScopedResource<Alpha>().SharedPerHost());
        await using var root = services;
        await using var scope = root.CreateResourceScope("stream");
        await scope.GetAsync<Alpha>(Test).Bounded();

        _time.Advance(TimeSpan.FromHours(1));

        Assert.Empty(Warnings(logs));
    }

    [Fact]
    public async Task Threshold_Infinite_SaysNothing()
    {
        var (services, logs) = Build(collection =>
        {
            collection.Configure<RequestResourceOptions>(options => options.HeldWarningThreshold = Timeout.InfiniteTimeSpan);
            collection.AddRequestScopedResource<Alpha>();
        });
        await using var root = services;
        await using var scope = root.CreateResourceScope("stream");
        await scope.GetAsync<Alpha>(Test);

        Assert.Equal(0, _time.PendingTimers);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Empty(Warnings(logs));
    }

    [Fact]
    public async Task Watch_RestsWhileNoScopeIsOpen()
    {
        var (services, _) = Build(collection => collection.AddRequestScopedResource<Alpha>());
        await using var root = services;
        await using (var scope = root.CreateResourceScope("first"))
        {
            await scope.GetAsync<Alpha>(Test);
            Assert.Equal(1, _time.PendingTimers);
        }

        _time.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal(0, _time.PendingTimers);

        await using (root.CreateResourceScope("second"))
        {
            Assert.Equal(1, _time.PendingTimers);
        }
    }

    [Fact]
    public async Task LeakStackSampling_EveryLease_ShowsWhoAcquired()
    {
        var (services, logs) = Build(
            collection => collection.AddRequestScopedResource<Alpha>().UsePool(pool => pool.LeakStackSampling = 1));
        await using var root = services;
        foreach (var round in new[] { "created", "at hand" })
        {
            await using var scope = root.CreateResourceScope(round);
            await AcquireInTheMethodToBlameAsync(scope);

            _time.Advance(TimeSpan.FromMinutes(2));

            var warning = Assert.Single(Warnings(logs), line => line.Contains($"'{round}'", StringComparison.Ordinal));
            Assert.Contains("It was acquired at:", warning, StringComparison.Ordinal);
            Assert.Contains(nameof(AcquireInTheMethodToBlameAsync), warning, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task LeakStackSampling_LeaseWithoutStack_DoesNotShowAnOlderOne()
    {
        var (services, logs) = Build(
            collection => collection.AddRequestScopedResource<Alpha>().UsePool(pool => pool.LeakStackSampling = 1));
        await using var root = services;
        await using (var sampled = root.CreateResourceScope("sampled"))
        {
            await AcquireInTheMethodToBlameAsync(sampled);
        }

        ((ResourcePool<Alpha>)root.GetRequiredService<IResourcePool<Alpha>>()).Apply(new ResourcePoolOptions<Alpha>());
        await using var scope = root.CreateResourceScope("unsampled");
        await scope.GetAsync<Alpha>(Test).Bounded();

        _time.Advance(TimeSpan.FromMinutes(2));

        Assert.DoesNotContain("It was acquired at:", Assert.Single(Warnings(logs)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    [InlineData(100_000)]
    public async Task Threshold_OutOfRange_IsRefused(int seconds)
    {
        await using var root = Build(collection =>
        {
            collection.Configure<RequestResourceOptions>(options => options.HeldWarningThreshold = TimeSpan.FromSeconds(seconds));
            collection.AddRequestScopedResource<Alpha>();
        }).Services;

        var exception = Assert.Throws<Microsoft.Extensions.Options.OptionsValidationException>(() => root.CreateResourceScope("test"));

        Assert.Contains("HeldWarningThreshold", exception.Message, StringComparison.Ordinal);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task AcquireInTheMethodToBlameAsync(ResourceScope scope) => await scope.GetAsync<Alpha>(Test).Bounded();

    private static List<string> Warnings(LogCollector logs) =>
        [.. logs.Lines.Where(line => line.Event.Name == "HeldTooLong").Select(line => line.Message)];

    private (ServiceProvider Services, LogCollector Logs) Build(Action<IServiceCollection> configure) =>
        ResourceTestHost.BuildServices(configure, _time);
}
