using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy.Orphans;

public sealed class OrphanTests : IAsyncDisposable
{
    private static readonly TimeSpan Cap = TimeSpan.FromMinutes(2);

    private readonly ManualTimeProvider _clock = new();
    private readonly Barrier _release = new();
    private readonly List<RawHttpClient> _clients = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(2, 100, 3)]
    [InlineData(100, 2, 3)]
    [InlineData(0, 100, 1)]
    [InlineData(100, 0, 1)]
    public async Task CompletingWork_LimitIsReached_NextOneIsCancelledAndNamed(int limit, int perClient, int firstToBeCut)
    {
        await using var host = await StartAsync(options =>
        {
            options.MaxOrphans = limit;
            options.MaxOrphansPerClient = perClient;
        });

        for (var i = 1; i < firstToBeCut; i++)
        {
            var work = await LeaveAsync(host, "/complete");
            Assert.False(work.Token.IsCancellationRequested);
        }

        var cut = await LeaveAsync(host, "/complete");
        Assert.True(cut.Token.IsCancellationRequested);
        await cut.Ended.PassedAsync();
        _release.Open();
        await host.StopAsync();

        Assert.Contains("MaxOrphansPerClient", host.Logs.Expect("OrphanCut").Only("OrphanCut").Message, StringComparison.Ordinal);
        Assert.Equal(
            [.. Enumerable.Repeat("Completed", firstToBeCut - 1), "Overflow"],
            Outcomes(host));
    }

    [Fact]
    public async Task LimitPerClient_OtherClient_IsNotAffected()
    {
        await using var host = await StartAsync(options =>
        {
            options.MaxOrphansPerClient = 1;
            options.ClientKey = context => context.Request.Query["client"];
        });

        var first = await LeaveAsync(host, "/complete?client=a");
        var second = await LeaveAsync(host, "/complete?client=b");
        var unknown = await LeaveAsync(host, "/complete");

        Assert.False(first.Token.IsCancellationRequested);
        Assert.False(second.Token.IsCancellationRequested);
        Assert.False(unknown.Token.IsCancellationRequested);
        _release.Open();
    }

    [Fact]
    public async Task LimitPerClient_WorkHasEnded_NextOneMayGoOn()
    {
        await using var host = await StartAsync(options => options.MaxOrphansPerClient = 1);
        _release.Open();

        for (var i = 0; i < 3; i++)
        {
            var work = await LeaveAsync(host, "/complete");
            await work.Ended.PassedAsync();
            Assert.False(work.Token.IsCancellationRequested);
        }

        await host.StopAsync();
        Assert.Equal(Enumerable.Repeat("Completed", 3), Outcomes(host));
    }

    [Theory]
    [InlineData("/complete")]
    [InlineData("/long")]
    public async Task CompletingWork_HardCap_IsCancelledAndNamed(string path)
    {
        await using var host = await StartAsync(_ => { });
        var work = await LeaveAsync(host, path);

        _clock.Advance(Cap - TimeSpan.FromTicks(1));
        Assert.False(work.Token.IsCancellationRequested);
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.True(work.Token.IsCancellationRequested);
        await work.Ended.PassedAsync();
        await host.StopAsync();

        var line = host.Logs.Expect("OrphanCut").Only("OrphanCut").Message;
        Assert.Contains($"GET {path}", line, StringComparison.Ordinal);
        Assert.Contains("OrphanHardCap (00:02:00)", line, StringComparison.Ordinal);
        Assert.Equal(["Capped"], Outcomes(host));
    }

    [Theory]
    [InlineData("/deaf")]
    [InlineData("/deaf-completing")]
    public async Task Watchdog_HandlerIgnoresItsToken_IsNamedOnceAMinuteForEachRoute(string path)
    {
        await using var host = await StartAsync(_ => { });
        host.Logs.Expect("OrphanDoesNotStop");
        await LeaveAsync(host, path);
        await LeaveAsync(host, path);

        _clock.Advance(Cap + TimeSpan.FromSeconds(2) - TimeSpan.FromTicks(1));
        Assert.Empty(host.Logs.Problems);
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Contains($"GET {path} still runs 122 s", host.Logs.Only("OrphanDoesNotStop").Message, StringComparison.Ordinal);

        await LeaveAsync(host, path);
        _clock.Advance(Cap + TimeSpan.FromSeconds(2));
        Assert.Equal(2, host.Logs.Problems.Count());
        _release.Open();
    }

    [Fact]
    public async Task HostStopped_HandlerStillRuns_IsNamed()
    {
        await using var host = await StartAsync(_ => { }, shutdownTimeout: TimeSpan.FromMilliseconds(1));
        host.Logs.Expect("OrphanLeftBehind").Expect("OrphanDoesNotStop");
        var work = await LeaveAsync(host, "/deaf");

        await host.App.StopAsync(TestContext.Current.CancellationToken);

        Assert.Contains("GET /deaf", host.Logs.Only("OrphanLeftBehind").Message, StringComparison.Ordinal);
        _release.Open();
        await work.Ended.PassedAsync();
    }

    [Fact]
    public async Task HostStopping_ClientLeavesThen_WorkGetsWhatIsLeftOfTheHostsTime()
    {
        await using var host = await StartAsync(_ => { });
        var gone = await LeaveAsync(host, "/complete");
        var staying = await SendAsync(host, "/complete");
        var stopping = new Barrier();
        host.App.Lifetime.ApplicationStopping.Register(stopping.Open);

        var stopped = host.StopAsync();
        await stopping.PassedAsync();
        _clock.Advance(TimeSpan.FromSeconds(10));
        staying.Client.Leave(Departure.Rst);
        await staying.ClientGone.PassedAsync();
        _clock.Advance(TimeSpan.FromSeconds(18) - TimeSpan.FromTicks(1));
        Assert.False(gone.Token.IsCancellationRequested);
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.True(gone.Token.IsCancellationRequested);

        await stopped;
        Assert.Contains("GET /complete", host.Logs.Expect("OrphanCut").Only("OrphanCut").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RefuseAtOrphanLimit_ClientHasPiledUpDeafWork_Answers503UntilItHasEnded()
    {
        await using var host = await StartAsync(options =>
        {
            options.RefuseAtOrphanLimit = true;
            options.MaxOrphansPerClient = 2;
        });
        var first = await LeaveAsync(host, "/deaf");
        var second = await LeaveAsync(host, "/deaf");

        using (var refused = await host.Client.GetAsync("/health", TestContext.Current.CancellationToken))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal("1", refused.Headers.RetryAfter?.ToString());
            host.Logs.Only("RequestRefused");
        }

        _release.Open();
        await first.Ended.PassedAsync();
        await second.Ended.PassedAsync();
        Assert.Equal("healthy", await host.Client.GetStringAsync("/health", TestContext.Current.CancellationToken));
    }

    private static IEnumerable<string> Outcomes(KestrelTestHost host) => host.Logs.Lines
        .Where(line => line.Event.Name == "ClientAborted")
        .Select(line => line.Message.Split("its handler ")[1].Split(' ')[0])
        .Order();

    private Task<KestrelTestHost> StartAsync(Action<ClientAbortOptions> configure, TimeSpan? shutdownTimeout = null) =>
        KestrelTestHost.StartAsync(
            app =>
            {
                app.Use(next => async context =>
                {
                    try
                    {
                        await next(context);
                    }
                    finally
                    {
                        (context.Items["work"] as Work)?.Ended.Open();
                    }
                });
                app.UseClientAbortTolerance(configure);
                app.MapGet("/health", () => "healthy");
                app.MapGet("/complete", CompleteAsync).RunToCompletionOnClientAbort();
                app.MapGet("/long", CompleteAsync).CompleteOnClientAbort(TimeSpan.FromHours(1));
                app.MapGet("/deaf", DeafAsync);
                app.MapGet("/deaf-completing", DeafAsync).RunToCompletionOnClientAbort();
            },
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(_clock);
                if (shutdownTimeout is { } timeout)
                {
                    builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = timeout);
                }
            });

    private Task CompleteAsync(HttpContext context, CancellationToken aborted) =>
        RunAsync(context, _release.PassedAsync().WaitAsync(aborted), aborted);

    private Task DeafAsync(HttpContext context, CancellationToken aborted) => RunAsync(context, _release.PassedAsync(), aborted);

    private async Task RunAsync(HttpContext context, Task work, CancellationToken aborted)
    {
        var started = _starting.Dequeue();
        context.Items["work"] = started;
        started.Token = aborted;
        started.Started.Open();
        await AbortTestApp.SignalledAsync(context.Features.GetRequiredFeature<IClientAbortFeature>().ClientAborted);
        started.ClientGone.Open();
        await work;
    }

    private readonly Queue<Work> _starting = new();

    private async Task<Work> SendAsync(KestrelTestHost host, string path)
    {
        var work = new Work { Client = await RawHttpClient.ConnectAsync(host.Address) };
        _clients.Add(work.Client);
        _starting.Enqueue(work);
        await work.Client.SendGetAsync(path);
        await work.Started.PassedAsync();
        return work;
    }

    private async Task<Work> LeaveAsync(KestrelTestHost host, string path)
    {
        var work = await SendAsync(host, path);
        work.Client.Leave(Departure.Rst);
        await work.ClientGone.PassedAsync();
        return work;
    }

    private sealed class Work
    {
        public Barrier Started { get; } = new();

        public Barrier ClientGone { get; } = new();

        public Barrier Ended { get; } = new();

        public required RawHttpClient Client { get; init; }

        public CancellationToken Token { get; set; }
    }
}
