using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class RunningApplicationTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(500);

    private readonly ManualTimeProvider _clock = new();

    [Fact]
    public async Task Drain_WithNobodyInside_IsDoneAtOnceAndLetsNobodyIn()
    {
        var application = FakeApplication.Running(1);
        using var request = new FakeRequest();

        Assert.Empty(await application.DrainAsync(Limit, _clock));
        Assert.False(application.TryEnter(request.Switched));
        Assert.Equal(0, _clock.PendingTimers);
    }

    [Fact]
    public async Task Drain_WithARequestInside_WaitsForItsEnd()
    {
        var application = FakeApplication.Running(1);
        using var request = new FakeRequest();
        Assert.True(application.TryEnter(request.Switched));

        var drain = application.DrainAsync(Limit, _clock);
        Assert.False(drain.IsCompleted);
        application.Exit(request.Switched);

        Assert.Empty(await drain.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken));
        Assert.False(request.RequestAborted.IsCancellationRequested);
    }

    [Fact]
    public async Task Drain_BeyondItsTime_CutsWhatIsInsideAndCountsIt()
    {
        var application = FakeApplication.Running(1);
        using var first = new FakeRequest();
        using var second = new FakeRequest();
        Assert.True(application.TryEnter(first.Switched));
        Assert.True(application.TryEnter(second.Switched));
        using var ended = first.RequestAborted.Register(() => application.Exit(first.Switched));
        using var endedToo = second.RequestAborted.Register(() => application.Exit(second.Switched));

        var drain = application.DrainAsync(Limit, _clock);
        _clock.Advance(Limit);

        Assert.Equal(2, (await drain.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken)).Count);
    }

    [Theory]
    [InlineData("text/event-stream", 200, true)]
    [InlineData("text/event-stream; charset=utf-8", 200, true)]
    [InlineData("", 101, true)]
    [InlineData("text/html", 200, false)]
    public async Task Drain_WithAnAnswerUnderWay_CutsAtOnceOnlyWhatNeverEnds(string contentType, int statusCode, bool neverEnds)
    {
        var application = FakeApplication.Running(1);
        using var request = new FakeRequest().Answering(contentType, statusCode);
        Assert.True(application.TryEnter(request.Switched));
        using var ended = request.RequestAborted.Register(() => application.Exit(request.Switched));

        var drain = application.DrainAsync(Limit, _clock);
        Assert.Equal(neverEnds, request.RequestAborted.IsCancellationRequested);
        application.Exit(request.Switched);

        Assert.Equal(neverEnds ? 1 : 0, (await drain.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken)).Count);
    }

    [Fact]
    public async Task Drain_WithAStreamThatOutlivesItsCut_NamesItOnce()
    {
        var application = FakeApplication.Running(1);
        using var request = new FakeRequest().Answering("text/event-stream");
        Assert.True(application.TryEnter(request.Switched));

        var drain = application.DrainAsync(Limit, _clock);
        _clock.Advance(Limit);
        application.Exit(request.Switched);

        Assert.Equal(RequestStage.EventStream, Assert.Single(await drain.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken)).Stage);
    }

    [Fact]
    public async Task Drain_WithWorkThatIgnoresItsCancellation_LeavesItBehind()
    {
        var application = FakeApplication.Running(1);
        using var request = new FakeRequest();
        Assert.True(application.TryEnter(request.Switched));

        var drain = application.DrainAsync(Limit, _clock);
        using var limit = new CancellationTokenSource(KestrelTestHost.Timeout);
        while (!drain.IsCompleted)
        {
            limit.Token.ThrowIfCancellationRequested();
            _clock.Advance(Limit);
            await Task.Yield();
        }

        Assert.Single(await drain);
        Assert.True(request.RequestAborted.IsCancellationRequested);
    }

    [Fact]
    public async Task Run_ThroughASwitchedRequest_CreatesProcessesAndDisposesOnce()
    {
        var fake = new FakeApplication();
        var application = fake.Run(1);
        using var request = new FakeRequest();
        Assert.True(application.TryEnter(request.Switched));

        await request.Switched.RunAsync(application);
        request.Switched.Finish(null);

        Assert.Equal((1, 1, 1), fake.Counts);
        Assert.Empty(await application.DrainAsync(Limit, _clock));
    }
}
