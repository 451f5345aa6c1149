using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy.Guard;

/// <summary>
/// One client's request produces a response while others wait for it. That client leaves half-way; the others get the whole response.
/// </summary>
public sealed class OutputCacheTests : IDisposable
{
    private const string Whole = "first second";
    private const int Followers = 3;

    private readonly ManualTimeProvider _clock = new();
    private readonly Barrier _started = new();
    private readonly Barrier _abortSeen = new();
    private readonly Barrier _release = new();
    private readonly Barrier _ended = new();
    private readonly SemaphoreSlim _arrived = new(0);
    private int _runs;
    private int _waiting;
    private CancellationToken _work;

    /// <summary>How the handler deals with its token.</summary>
    public enum Handler
    {
        Throws,
        StopsSilently,
    }

    public static TheoryData<Departure, Pipeline> Cells() => new MatrixTheoryData<Departure, Pipeline>(
        [Departure.Fin, Departure.Rst], Enum.GetValues<Pipeline>());

    public void Dispose() => _arrived.Dispose();

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task Fill_ItsClientLeaves_IsFinishedForThoseWhoWait(Departure departure, Pipeline pipeline)
    {
        await using var host = await StartAsync(pipeline: pipeline);

        var followers = await LeaveAsync(host, departure);
        Assert.False(_work.IsCancellationRequested);
        _release.Open();

        await AssertWholeAsync(followers);
        await AssertWholeAsync(host.Client.GetAsync("/", TestContext.Current.CancellationToken));
        await _ended.PassedAsync();
        await host.StopAsync();
        Assert.Equal(1, _runs);
        Assert.EndsWith("handler Completed 0 ms later under policy RunToCompletion.", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fill_WaitingClientLeaves_NobodyElseNotices()
    {
        await using var host = await StartAsync();
        await using var leader = await RawHttpClient.ConnectAsync(host.Address);
        await leader.SendGetAsync("/");
        await _started.PassedAsync();
        await using (var follower = await RawHttpClient.ConnectAsync(host.Address))
        {
            await follower.SendGetAsync("/");
            await WaitingAsync();
            follower.Leave(Departure.Rst);
            await _abortSeen.PassedAsync();
        }

        _release.Open();

        Assert.EndsWith("second\r\n0\r\n\r\n", await leader.ReadUntilAsync("0\r\n\r\n"), StringComparison.Ordinal);
        await host.StopAsync();
        Assert.Equal(1, _runs);
    }

    [Theory]
    [InlineData(Handler.Throws, Pipeline.WithoutExceptionHandler)]
    [InlineData(Handler.Throws, Pipeline.InsideExceptionHandler)]
    [InlineData(Handler.Throws, Pipeline.OutsideExceptionHandler)]
    [InlineData(Handler.StopsSilently, Pipeline.WithoutExceptionHandler)]
    public async Task Fill_RunsIntoTheCap_IsNotStoredAndThoseWhoWaitAreServed(Handler handler, Pipeline pipeline)
    {
        await using var host = await StartAsync(handler, pipeline);

        var followers = await LeaveAsync(host, Departure.Rst);
        _clock.Advance(new ClientAbortOptions().OrphanHardCap);

        await AssertServedWithoutAsync(host, followers, handler, "Capped");
    }

    [Theory]
    [InlineData(Handler.Throws)]
    [InlineData(Handler.StopsSilently)]
    public async Task Fill_TooManyOrphans_IsNotStoredAndThoseWhoWaitAreServed(Handler handler)
    {
        await using var host = await StartAsync(handler, configure: options => options.MaxOrphans = 0);

        var followers = await LeaveAsync(host, Departure.Fin);

        await AssertServedWithoutAsync(host, followers, handler, "Overflow");
    }

    [Theory]
    [InlineData(Handler.Throws)]
    [InlineData(Handler.StopsSilently)]
    public async Task Fill_ApplicationAborts_IsNotStoredAndThoseWhoWaitAreServed(Handler handler)
    {
        HttpContext? leader = null;
        await using var host = await StartAsync(handler, onFirstRun: context => leader = context);
        await using var client = await RawHttpClient.ConnectAsync(host.Address);
        await client.SendGetAsync("/");
        await _started.PassedAsync();
        var followers = await FollowAsync(host);

        leader!.Abort();

        await AssertServedWithoutAsync(host, followers, handler, "Cancelled");
    }

    [Fact]
    public async Task Fill_FailsForAReasonOfItsOwnAfterTheAbort_IsStillAnError()
    {
        await using var host = await StartAsync(onRelease: () => throw new InvalidOperationException("genuine"));
        var followers = await LeaveAsync(host, Departure.Rst);

        _release.Open();

        foreach (var follower in followers)
        {
            Assert.Equal(HttpStatusCode.InternalServerError, (await follower).StatusCode);
        }

        await host.StopAsync();
        Assert.Equal(Followers + 1, host.Logs.Expect("ApplicationError").Problems.Count(line => line.Exception?.Message == "genuine"));
    }

    [Fact]
    public async Task Fill_TokenFiresWhileTheClientStays_IsNotStored()
    {
        using var limit = new CancellationTokenSource();
        await using var host = await StartAsync(Handler.StopsSilently, onFirstRun: _ => limit.Cancel(), inside: app => app.Use(next => context =>
        {
            // As a request time-out does it.
            context.RequestAborted = _runs == 0 ? limit.Token : context.RequestAborted;
            return next(context);
        }));

        Assert.Equal("first ", await host.Client.GetStringAsync("/", TestContext.Current.CancellationToken));

        await AssertWholeAsync(host.Client.GetAsync("/", TestContext.Current.CancellationToken));
        Assert.Equal(2, _runs);
    }

    [Fact]
    public async Task Fill_CacheOutsideTheTolerance_IsFinishedForThoseWhoWait()
    {
        await using var host = await StartAsync(cacheFirst: true);

        var followers = await LeaveAsync(host, Departure.Rst);
        _release.Open();

        await AssertWholeAsync(followers);
        Assert.Equal(1, _runs);
    }

    [Theory]
    [InlineData(Handler.Throws)]
    [InlineData(Handler.StopsSilently)]
    public async Task Fill_CacheOutsideTheToleranceIsCut_IsNotStoredAndThoseWhoWaitAreServed(Handler handler)
    {
        await using var host = await StartAsync(handler, cacheFirst: true);

        var followers = await LeaveAsync(host, Departure.Rst);
        _clock.Advance(new ClientAbortOptions().OrphanHardCap);

        await AssertServedWithoutAsync(host, followers, handler, "Capped");
    }

    [Fact]
    public async Task UncachedEndpoint_BesideACache_IsCancelledWithItsClient()
    {
        await using var host = await StartAsync(cached: false);

        await LeaveAsync(host, Departure.Rst, followers: 0);
        await _ended.PassedAsync();

        Assert.True(_work.IsCancellationRequested);
        await host.StopAsync();
        Assert.Contains("Cancelled", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
    }

    private static async Task AssertWholeAsync(params IEnumerable<Task<HttpResponseMessage>> answers)
    {
        foreach (var answer in answers)
        {
            using var response = await answer;
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(Whole, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
    }

    private async Task AssertServedWithoutAsync(
        KestrelTestHost host, List<Task<HttpResponseMessage>> followers, Handler handler, string cancelledAs)
    {
        await _ended.PassedAsync();
        await AssertWholeAsync(followers);
        await AssertWholeAsync(host.Client.GetAsync("/", TestContext.Current.CancellationToken));
        await host.StopAsync();
        Assert.InRange(_runs, 2, 2 + Followers);
        var outcome = handler == Handler.Throws ? cancelledAs : "Completed";
        Assert.Contains($"handler {outcome} ", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
    }

    /// <summary>Lets others wait for the first client's response, and the first client leave.</summary>
    private async Task<List<Task<HttpResponseMessage>>> LeaveAsync(KestrelTestHost host, Departure departure, int followers = Followers)
    {
        await using var client = await RawHttpClient.ConnectAsync(host.Address);
        await client.SendGetAsync("/");
        await _started.PassedAsync();
        var waiting = followers == 0 ? [] : await FollowAsync(host);
        client.Leave(departure);
        await _abortSeen.PassedAsync();
        return waiting;
    }

    private async Task<List<Task<HttpResponseMessage>>> FollowAsync(KestrelTestHost host)
    {
        // One after the other: the cache looks up the same entry once for all who ask together.
        List<Task<HttpResponseMessage>> answers = [];
        for (var i = 0; i < Followers; i++)
        {
            answers.Add(host.Client.GetAsync("/", TestContext.Current.CancellationToken));
            await WaitingAsync();
        }

        return answers;
    }

    private async Task WaitingAsync() =>
        Assert.True(await _arrived.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken));

    private async Task<KestrelTestHost> StartAsync(
        Handler handler = Handler.Throws,
        Pipeline pipeline = Pipeline.WithoutExceptionHandler,
        bool cacheFirst = false,
        bool cached = true,
        Action<ClientAbortOptions>? configure = null,
        Action<HttpContext>? onFirstRun = null,
        Action? onRelease = null,
        Action<WebApplication>? inside = null)
    {
        var host = await KestrelTestHost.StartAsync(
            app =>
            {
                app.Use(next => async context =>
                {
                    var isFirst = Interlocked.Increment(ref _waiting) == 1;
                    try
                    {
                        // What comes back unfinished has reached the cache's lock, because everything before it is synchronous.
                        var request = next(context);
                        if (!isFirst)
                        {
                            _arrived.Release();
                        }

                        await request;
                    }
                    finally
                    {
                        if (isFirst)
                        {
                            _abortSeen.Open();
                            _ended.Open();
                        }
                    }
                });
                if (cacheFirst)
                {
                    app.UseOutputCache();
                }

                AbortTestApp.UsePipeline(app, pipeline);
                app.Use(next => async context =>
                {
                    using var registration = context.Features.GetRequiredFeature<IClientAbortFeature>().ClientAborted.Register(_abortSeen.Open);
                    await next(context);
                });
                inside?.Invoke(app);
                if (!cacheFirst)
                {
                    app.UseOutputCache();
                }

                var mapped = app.MapGet("/", async (HttpContext context, CancellationToken aborted) =>
                {
                    var isFirst = Interlocked.Increment(ref _runs) == 1;
                    await context.Response.WriteAsync("first ", aborted);
                    await context.Response.Body.FlushAsync(aborted);
                    if (isFirst)
                    {
                        onFirstRun?.Invoke(context);
                        _work = aborted;
                        _started.Open();
                        try
                        {
                            await _release.PassedAsync().WaitAsync(aborted);
                            onRelease?.Invoke();
                        }
                        catch (OperationCanceledException) when (handler == Handler.StopsSilently)
                        {
                            return;
                        }
                    }

                    await context.Response.WriteAsync("second", aborted);
                });
                if (cached)
                {
                    mapped.CacheOutput();
                }
            },
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(_clock);
                builder.Services.AddClientAbortTolerance(configure);
                builder.Services.AddOutputCache();
                builder.Services.AddProblemDetails();
            });

        // The host's name is part of the cache's key, and this is the one that raw clients send.
        host.Client.DefaultRequestHeaders.Host = "localhost";
        return host;
    }
}
