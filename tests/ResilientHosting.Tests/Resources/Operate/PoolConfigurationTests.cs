using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

public sealed class PoolConfigurationTests
{
    [Fact]
    public async Task BindConfiguration_EverySetting_WinsOverCodeWhereverCodeStands()
    {
        var source = new ChangingConfiguration
        {
            ["Pools:Alpha:MaxSize"] = "7",
            ["Pools:Alpha:minidle"] = "2",
            ["Pools:Alpha:MaxConcurrentCreates"] = "3",
            ["Pools:Alpha:AcquireTimeout"] = "00:00:02.5",
            ["Pools:Alpha:MaxWaiters"] = "9",
            ["Pools:Alpha:MaxLifetime"] = "Infinite",
            ["Pools:Alpha:LifetimeJitter"] = "0.25",
            ["Pools:Alpha:IdleTimeout"] = "1.02:03:04",
            ["Pools:Alpha:ValidationBypass"] = "00:00:00",
            ["Pools:Alpha:ValidationTimeout"] = "00:00:01",
            ["Pools:Alpha:Order"] = "fifo",
            ["Pools:Alpha:LeakStackSampling"] = "0.001",
        };
        await using var host = await StartAsync(source, services => services
            .AddRequestScopedResource<Alpha>().BindConfiguration("Pools:Alpha").UsePool(pool => pool.MaxSize = 99));

        var settings = SettingsOf<Alpha>(host);

        var expected = new ResourcePoolOptions<Alpha>
        {
            MaxSize = 7,
            MinIdle = 2,
            MaxConcurrentCreates = 3,
            AcquireTimeout = TimeSpan.FromSeconds(2.5),
            MaxWaiters = 9,
            MaxLifetime = Timeout.InfiniteTimeSpan,
            LifetimeJitter = 0.25,
            IdleTimeout = new TimeSpan(1, 2, 3, 4),
            ValidationBypass = TimeSpan.Zero,
            ValidationTimeout = TimeSpan.FromSeconds(1),
            Order = ResourcePoolOrder.Fifo,
            LeakStackSampling = 0.001,
        };
        Assert.Equivalent(expected, settings);
    }

    [Fact]
    public void Settings_AreAllThatConfigurationCanExpress()
    {
        var properties = typeof(ResourcePoolOptions<Alpha>).GetProperties()
            .Where(property => !typeof(Delegate).IsAssignableFrom(property.PropertyType))
            .Select(property => property.Name);

        Assert.Equal(properties.Order(), PoolSetting<Alpha>.All.Select(setting => setting.Name).Order());
    }

    [Fact]
    public async Task BindConfiguration_KeyAbsent_KeepsWhatCodeSays()
    {
        await using var host = await StartAsync(
            new ChangingConfiguration { ["Pools:Other:MinIdle"] = "1" },
            services =>
            {
                services.AddRequestScopedResource<Alpha>().UsePool(pool => pool.MaxSize = 3).BindConfiguration("Pools:Alpha");
                services.AddRequestScopedResource("other", (_, _) => ValueTask.FromResult(new Alpha())).UsePool(pool => pool.MaxSize = 4).BindConfiguration("Pools:Other");
            });

        Assert.Equal((3, 0), (SettingsOf<Alpha>(host).MaxSize, SettingsOf<Alpha>(host).MinIdle));
        Assert.Equal((4, 1), (SettingsOf<Alpha>(host, "other").MaxSize, SettingsOf<Alpha>(host, "other").MinIdle));
    }

    [Fact]
    public async Task Start_BadValues_ListsThemAllWithKeyValueAndExpectation()
    {
        var source = new ChangingConfiguration
        {
            ["Pools:Alpha:MaxSize"] = "0",
            ["Pools:Alpha:MinIdle"] = "many",
            ["Pools:Alpha:AcquireTimeout"] = "30",
            ["Pools:Alpha:MaxLifetime"] = "forever",
            ["Pools:Alpha:Order"] = "Random",
            ["Pools:Alpha:MaxSise"] = "5",
            ["Pools:Alpha:LifetimeJitter:Part"] = "0.1",
            ["Pools:Alpha:MaxWaiters"] = "",
            ["Pools:Alpha:LeakStackSampling"] = "2",
        };

        var exception = await Assert.ThrowsAsync<OptionsValidationException>(
            () => StartAsync(source, services => services.AddRequestScopedResource<Alpha>().UsePool().BindConfiguration("Pools:Alpha")));

        var failures = exception.Failures.SelectMany(failure => failure.Split("; ")).ToList();
        Assert.Contains("Property ResourcePoolOptions.MaxSize: Pool of Alpha: must be 1 to 100000, but is 0 (configuration key Pools:Alpha:MaxSize).", failures);
        Assert.Contains(
            "Property ResourcePoolOptions.LeakStackSampling: Pool of Alpha: must be 0 to 1, but is 2 (configuration key Pools:Alpha:LeakStackSampling).", failures);
        Assert.Contains("Pools:Alpha:MinIdle is 'many', but must be a whole number.", failures);
        Assert.Contains("Pools:Alpha:AcquireTimeout is '30', but must be a time such as 00:00:30.", failures);
        Assert.Contains("Pools:Alpha:MaxLifetime is 'forever', but must be a time such as 00:30:00, or Infinite.", failures);
        Assert.Contains("Pools:Alpha:Order is 'Random', but must be Lifo or Fifo.", failures);
        Assert.Contains("Pools:Alpha:LifetimeJitter is a section, but must be a number such as 0.1.", failures);
        Assert.Contains(failures, failure => failure.StartsWith("Pools:Alpha:MaxSise is no setting of a pool. There are MaxSize, ", StringComparison.Ordinal));
        Assert.DoesNotContain(failures, failure => failure.Contains("MaxWaiters is", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_SectionIsAValue_SaysSo()
    {
        var source = new ChangingConfiguration { ["Pools:Alpha"] = "10" };

        var exception = await Assert.ThrowsAsync<OptionsValidationException>(
            () => StartAsync(source, services => services.AddRequestScopedResource<Alpha>().UsePool().BindConfiguration("Pools:Alpha")));

        Assert.Equal("Pools:Alpha is '10', but must be a section with settings of the pool of Alpha.", exception.Message);
    }

    [Fact]
    public async Task Start_WithoutPool_SaysWhatToDo()
    {
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(
            new ChangingConfiguration(),
            services => services.AddRequestScopedResource<Alpha>().BindConfiguration("Pools:Alpha").EmitDbClientMetrics("sqlite").SharedPerHost()));

        Assert.Equal(
            ["BindConfiguration is said of resource Alpha, which has no pool. Add UsePool(), or remove BindConfiguration.",
             "EmitDbClientMetrics is said of resource Alpha, which has no pool. Add UsePool(), or remove EmitDbClientMetrics."],
            exception.Failures);
    }

    [Fact]
    public void BindConfiguration_Twice_IsAnErrorForAnotherSectionOnly()
    {
        var builder = new ServiceCollection().AddRequestScopedResource<Alpha>().UsePool().BindConfiguration("Pools:Alpha");
        var count = builder.Services.Count;

        builder.BindConfiguration("Pools:Alpha");

        Assert.Equal(count, builder.Services.Count);
        Assert.Throws<InvalidOperationException>(() => builder.BindConfiguration("Pools:Beta"));
    }

    [Fact]
    public async Task Reload_AppliesToTheRunningPoolAndToThoseWhoWait()
    {
        var test = TestContext.Current.CancellationToken;
        var source = new ChangingConfiguration { ["Pools:Alpha:MaxSize"] = "1" };
        await using var host = await StartAsync(
            source, services => services.AddRequestScopedResource<Alpha>().UsePool().BindConfiguration("Pools:Alpha"));
        await using var first = host.App.Services.CreateResourceScope("first");
        await using var second = host.App.Services.CreateResourceScope("second");
        await first.GetAsync<Alpha>(test).Bounded();
        var waiting = second.GetAsync<Alpha>(test);
        Assert.False(waiting.IsCompleted);

        source["Pools:Alpha:MaxSize"] = "2";
        source.Reload();

        Assert.NotNull(await waiting.Bounded());
        Assert.Equal("The pool of Alpha follows its configuration: MaxSize 1 → 2.", host.Logs.Only("PoolReconfigured").Message);

        source.Remove("Pools:Alpha:MaxSize");
        source.Reload();

        Assert.Equal(10, SettingsOf<Alpha>(host).MaxSize);
    }

    [Fact]
    public async Task Reload_SectionAppearsLater_Applies()
    {
        var source = new ChangingConfiguration();
        await using var host = await StartAsync(
            source, services => services.AddRequestScopedResource<Alpha>().UsePool().BindConfiguration("Pools:Alpha"));

        source["Pools:Alpha:MaxSize"] = "5";
        source.Reload();

        Assert.Equal(5, SettingsOf<Alpha>(host).MaxSize);
    }

    [Fact]
    public async Task Reload_NothingChanged_SaysNothing()
    {
        var source = new ChangingConfiguration { ["Pools:Alpha:MaxSize"] = "3" };
        await using var host = await StartAsync(
            source, services => services.AddRequestScopedResource<Alpha>().UsePool().BindConfiguration("Pools:Alpha"));
        var before = SettingsOf<Alpha>(host);

        source["Elsewhere"] = "1";
        source.Reload();

        Assert.Same(before, SettingsOf<Alpha>(host));
        Assert.DoesNotContain(host.Logs.Lines, line => line.Event.Name == "PoolReconfigured");
    }

    [Fact]
    public async Task Reload_BadValues_KeepsTheOldOnesAndSaysSoOnceForEachMistake()
    {
        var source = new ChangingConfiguration { ["Pools:Alpha:MaxSize"] = "3" };
        await using var host = await StartAsync(
            source, services => services.AddRequestScopedResource<Alpha>().UsePool().BindConfiguration("Pools:Alpha"));
        host.Logs.Expect("PoolConfigurationRefused");
        List<string> Refusals() =>
            [.. host.Logs.Lines.Where(line => line.Event.Name == "PoolConfigurationRefused").Select(line => line.Message)];

        Change("0");
        Assert.Contains("must be 1 to 100000, but is 0 (configuration key Pools:Alpha:MaxSize)", Assert.Single(Refusals()), StringComparison.Ordinal);
        Change("0");
        Assert.Single(Refusals());
        Change("-1");
        Assert.Equal(2, Refusals().Count);
        Assert.Equal(3, SettingsOf<Alpha>(host).MaxSize);
        Change("4");
        Assert.Equal(4, SettingsOf<Alpha>(host).MaxSize);
        Change("-1");
        Assert.Equal(3, Refusals().Count);
        Assert.Equal(4, SettingsOf<Alpha>(host).MaxSize);

        void Change(string size)
        {
            source["Pools:Alpha:MaxSize"] = size;
            source.Reload();
        }
    }

    [Fact]
    public async Task Reload_CodeThrows_DoesNotReachTheConfiguration()
    {
        var fails = false;
        var source = new ChangingConfiguration();
        await using var host = await StartAsync(source, services => services.AddRequestScopedResource<Alpha>()
            .UsePool(pool => pool.MaxSize = fails ? throw new NotSupportedException("not now") : 3).BindConfiguration("Pools:Alpha"));
        host.Logs.Expect("PoolConfigurationRefused");

        fails = true;
        source.Reload();

        Assert.IsType<NotSupportedException>(host.Logs.Only("PoolConfigurationRefused").Exception);
    }

    [Fact]
    public async Task Reload_AfterTheHostStopped_DoesNothing()
    {
        var source = new ChangingConfiguration { ["Pools:Alpha:MaxSize"] = "3" };
        await using var host = await StartAsync(
            source, services => services.AddRequestScopedResource<Alpha>().UsePool().BindConfiguration("Pools:Alpha"));
        await host.App.StopAsync(TestContext.Current.CancellationToken).Bounded();

        source["Pools:Alpha:MaxSize"] = "0";
        source.Reload();

        Assert.Equal(3, SettingsOf<Alpha>(host).MaxSize);
    }

    private static Task<KestrelTestHost> StartAsync(ChangingConfiguration source, Action<IServiceCollection> configure) =>
        KestrelTestHost.StartAsync(_ => { }, builder =>
        {
            ((IConfigurationBuilder)builder.Configuration).Add(source);
            configure(builder.Services);
        });

    private static ResourcePoolOptions<T> SettingsOf<T>(KestrelTestHost host, string? name = null)
        where T : class => ((ResourcePool<T>)host.App.Services.GetRequiredKeyedService<IResourcePool<T>>(name)).Settings;
}
