using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

public sealed class ResourceHealthCheckTests
{
    private const string Secret = "Host=db;Password=hunter2";

    private readonly ManualTimeProvider _time = new();
    private readonly Ledger _ledger = new();

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pool_Untouched_CreatesOneAndIsHealthy()
    {
        await using var host = await StartAsync(services =>
            services.AddRequestScopedResource((_, _) => ValueTask.FromResult(_ledger.Create<Alpha>())).UsePool().AddHealthCheck());

        var (status, report) = await AskAsync(host);

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("Healthy", report.GetProperty("resource:Alpha").GetProperty("status").GetString());
        var data = report.GetProperty("resource:Alpha").GetProperty("data");
        Assert.Equal((1, 1, 0, 10), (Number(data, "total"), Number(data, "idle"), Number(data, "used"), Number(data, "max")));

        await AskAsync(host);
        Assert.Single(_ledger.Created);
    }

    [Fact]
    public async Task Pool_WrongSetUp_IsUnhealthyAndKeepsItsSecrets()
    {
        await using var host = await StartAsync(services => services
            .AddRequestScopedResource<Alpha>((_, _) => throw new NotSupportedException(Secret)).UsePool().AddHealthCheck());
        host.Logs.Expect("HealthCheckEnd");

        var (status, report) = await AskAsync(host);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal("Unhealthy", report.GetProperty("resource:Alpha").GetProperty("status").GetString());
        Assert.Equal(
            "It cannot be had: System.NotSupportedException.", report.GetProperty("resource:Alpha").GetProperty("description").GetString());
        Assert.DoesNotContain("hunter2", report.GetRawText(), StringComparison.Ordinal);
        Assert.Contains(host.Logs.Problems, line => line.Exception is NotSupportedException { Message: Secret });
    }

    [Fact]
    public async Task Pool_BackendDownThenBack_IsUnhealthyThenHealthyWithoutOtherRequests()
    {
        var down = false;
        await using var host = await StartAsync(services => services
            .AddRequestScopedResource((_, _) => down ? throw new NotSupportedException() : ValueTask.FromResult(new Alpha()))
            .UsePool(pool => pool.AcquireTimeout = TimeSpan.FromSeconds(2)).AddHealthCheck());
        host.Logs.Expect("HealthCheckEnd");
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(host)).Status);
        var pool = (ResourcePool<Alpha>)host.App.Services.GetRequiredService<IResourcePool<Alpha>>();

        down = true;
        pool.Clear();
        var asked = AskAsync(host);
        await WaitForAsync(() => pool.CreationError is not null);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await asked.Bounded()).Status);

        // The next probe of a failing pool follows within a second, and the health check is enough to cause it.
        down = false;
        asked = AskAsync(host);
        await WaitForAsync(() => asked.IsCompleted || pool.Statistics.Waiting == 1);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.OK, (await asked.Bounded()).Status);
        Assert.Equal("Healthy", (await asked).Report.GetProperty("resource:Alpha").GetProperty("status").GetString());
    }

    [Fact]
    public async Task Pool_CreationFailsWithOthersAtHand_IsDegraded()
    {
        var down = false;
        await using var host = await StartAsync(services => services
            .AddRequestScopedResource((_, _) => down ? throw new NotSupportedException() : ValueTask.FromResult(new Alpha()))
            .UsePool().AddHealthCheck());
        host.Logs.Expect("HealthCheckEnd");
        var failing = host.App.Services.CreateResourceScope("failing");
        Task<Alpha> waiting;
        await using (var holder = host.App.Services.CreateResourceScope("holder"))
        {
            await holder.GetAsync<Alpha>(Test).Bounded();
            down = true;
            waiting = failing.GetAsync<Alpha>(Test).AsTask();
            var pool = (ResourcePool<Alpha>)host.App.Services.GetRequiredService<IResourcePool<Alpha>>();
            await WaitForAsync(() => pool.CreationError is not null);
        }

        await waiting.Bounded();
        await failing.DisposeAsync();

        var (status, report) = await AskAsync(host);

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(
            "There are objects at hand, but the last creation failed with System.NotSupportedException.",
            report.GetProperty("resource:Alpha").GetProperty("description").GetString());
    }

    [Fact]
    public async Task Pool_AllInUse_IsDegradedOnlyIfSomebodyWaits()
    {
        await using var host = await StartAsync(
            services => services.AddRequestScopedResource<Alpha>().UsePool(pool => pool.MaxSize = 1).AddHealthCheck());
        host.Logs.Expect("HealthCheckEnd");
        await using var holder = host.App.Services.CreateResourceScope("holder");
        await holder.GetAsync<Alpha>(Test).Bounded();
        Assert.Equal("Healthy", (await AskAsync(host)).Report.GetProperty("resource:Alpha").GetProperty("status").GetString());
        await using var waiter = host.App.Services.CreateResourceScope("waiter");
        var waiting = waiter.GetAsync<Alpha>(Test);

        var (_, report) = await AskAsync(host);

        Assert.Equal("Degraded", report.GetProperty("resource:Alpha").GetProperty("status").GetString());
        Assert.Equal("All 1 are in use, and 1 wait.", report.GetProperty("resource:Alpha").GetProperty("description").GetString());
        await holder.DisposeAsync();
        await waiting.Bounded();
    }

    [Fact]
    public async Task Pool_CreationHangs_IsUnhealthyAfterFiveSeconds()
    {
        var never = new TaskCompletionSource<Alpha>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await StartAsync(services => services
            .AddRequestScopedResource<Alpha>(async (_, token) => await never.Task.WaitAsync(token)).UsePool().AddHealthCheck());
        host.Logs.Expect("HealthCheckEnd");

        var pool = host.App.Services.GetRequiredService<IResourcePool<Alpha>>();
        var asked = AskAsync(host);
        await WaitForAsync(() => pool.Statistics.Waiting == 1);
        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(
            "It cannot be had: System.TimeoutException.",
            (await asked.Bounded()).Report.GetProperty("resource:Alpha").GetProperty("description").GetString());
    }

    [Theory]
    [InlineData(false, HttpStatusCode.OK)]
    [InlineData(true, HttpStatusCode.ServiceUnavailable)]
    public async Task PerRequest_IsCreatedAndTornDown(bool fails, HttpStatusCode expected)
    {
        await using var host = await StartAsync(services => services.AddRequestScopedResource(
            (_, _) => fails ? throw new NotSupportedException() : ValueTask.FromResult(_ledger.Create<Alpha>()), _ledger.TearDown).AddHealthCheck());
        host.Logs.Expect("HealthCheckEnd");

        Assert.Equal(expected, (await AskAsync(host)).Status);

        _ledger.AssertBalanced();
        Assert.Equal(fails ? 0 : 1, _ledger.Created.Count);
    }

    [Fact]
    public async Task PerRequest_TeardownFails_IsUnhealthy()
    {
        await using var host = await StartAsync(services => services.AddRequestScopedResource<Alpha>(
            (_, _) => new(new Alpha()), (_, _) => throw new NotSupportedException()).AddHealthCheck());
        host.Logs.Expect("HealthCheckEnd");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await AskAsync(host)).Status);
    }

    [Fact]
    public async Task AddHealthCheck_TwiceAndForTwoResources_ChecksEachOnce()
    {
        await using var host = await StartAsync(services =>
        {
            services.AddRequestScopedResource<Alpha>().AddHealthCheck().AddHealthCheck();
            services.AddRequestScopedResource("second", (_, _) => ValueTask.FromResult(new Alpha())).SharedPerHost().AddHealthCheck();
        });

        var (_, report) = await AskAsync(host);

        Assert.Equal(["resource:Alpha", "resource:Alpha 'second'"], report.EnumerateObject().Select(entry => entry.Name).Order());
    }

    private Task<KestrelTestHost> StartAsync(Action<IServiceCollection> configure) => KestrelTestHost.StartAsync(
        app => app.MapHealthChecks("/health", new HealthCheckOptions { ResponseWriter = WriteAsync }),
        builder =>
        {
            builder.Services.AddSingleton<TimeProvider>(_time);
            configure(builder.Services);
        });

    private static Task WriteAsync(HttpContext context, HealthReport report) => context.Response.WriteAsJsonAsync(
        report.Entries.ToDictionary(
            entry => entry.Key,
            entry => new { status = entry.Value.Status.ToString(), description = entry.Value.Description, data = entry.Value.Data }));

    private static async Task<(HttpStatusCode Status, JsonElement Report)> AskAsync(KestrelTestHost host)
    {
        using var response = await host.Client.GetAsync(new Uri("/health", UriKind.Relative), Test);
        var body = await response.Content.ReadAsStringAsync(Test);
        return (response.StatusCode, JsonDocument.Parse(body).RootElement);
    }

    private static int Number(JsonElement data, string name) => data.GetProperty(name).GetInt32();

    /// <summary>Waits for what no event announces.</summary>
    private static async Task WaitForAsync(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Test);
        limit.CancelAfter(KestrelTestHost.Timeout);
        while (!condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
