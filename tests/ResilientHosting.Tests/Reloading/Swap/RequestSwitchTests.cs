using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class RequestSwitchTests
{
    private readonly ManualTimeProvider _clock = new();
    private readonly RequestSwitch _requests;

    public RequestSwitchTests() => _requests = new RequestSwitch(_clock);

    [Fact]
    public async Task Enter_WithAnApplication_GoesStraightIn()
    {
        var application = FakeApplication.Running(1);
        Assert.Equal(0, _requests.Publish(application));
        using var request = new FakeRequest();

        var entering = _requests.EnterAsync(request.Switched);

        Assert.True(entering.IsCompletedSuccessfully);
        Assert.Same(application, await entering);
    }

    [Fact]
    public async Task Enter_WhileHeld_WaitsForTheNextApplicationAndIsCounted()
    {
        _requests.Publish(FakeApplication.Running(1));
        _requests.Hold();
        using var first = new FakeRequest();
        using var second = new FakeRequest();
        var entering = EnterAsync(first);
        var enteringToo = EnterAsync(second);
        Assert.False(entering.IsCompleted || enteringToo.IsCompleted);

        var next = FakeApplication.Running(2);

        Assert.Equal(2, _requests.Publish(next));
        Assert.Same(next, await entering);
        Assert.Same(next, await enteringToo);
    }

    [Fact]
    public async Task Publish_AfterAnotherHold_CountsItsOwnRequestsOnly()
    {
        _requests.Hold();
        using var request = new FakeRequest();
        var entering = EnterAsync(request);
        Assert.Equal(1, _requests.Publish(FakeApplication.Running(1)));
        await entering;

        _requests.Hold();

        Assert.Equal(0, _requests.Publish(FakeApplication.Running(2)));
    }

    [Fact]
    public async Task Enter_WhenTheApplicationIsRetiredButNotYetReplaced_Waits()
    {
        var retired = FakeApplication.Running(1);
        _requests.Publish(retired);
        await retired.DrainAsync(TimeSpan.Zero, _clock);
        using var request = new FakeRequest();

        var entering = EnterAsync(request);
        Assert.False(entering.IsCompleted);
        var next = FakeApplication.Running(2);
        _requests.Publish(next);

        Assert.Same(next, await entering);
    }

    [Fact]
    public async Task Enter_ClientLeavesWhileHeld_IsLetGoAndItsPlaceIsFree()
    {
        _requests.Options = new DevReloaderOptions { MaxHeldRequests = 1 };
        _requests.Hold();
        using var leaving = new FakeRequest();
        var entering = EnterAsync(leaving);

        leaving.Abort();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => entering);
        using var next = new FakeRequest();
        var enteringNext = EnterAsync(next);
        _requests.Publish(FakeApplication.Running(1));
        await enteringNext;
    }

    [Fact]
    public async Task Enter_BeyondTheLimit_IsRefusedWithTheOptionsName()
    {
        _requests.Options = new DevReloaderOptions { MaxHeldRequests = 1 };
        _requests.Hold();
        using var first = new FakeRequest();
        var entering = EnterAsync(first);
        using var second = new FakeRequest();

        var refused = await Assert.ThrowsAsync<ApplicationUnavailableException>(() => EnterAsync(second));

        Assert.Equal("1 requests already wait for the next generation (DevReloaderOptions.MaxHeldRequests).", refused.Message);
        Assert.False(entering.IsCompleted);
        Assert.Equal(1, _requests.Publish(FakeApplication.Running(1)));
        await entering;
    }

    [Fact]
    public async Task Enter_HeldTooLong_IsRefusedWithTheOptionsName()
    {
        _requests.Options = new DevReloaderOptions { HoldTimeout = TimeSpan.FromSeconds(7) };
        _requests.Hold();
        using var request = new FakeRequest();
        var entering = EnterAsync(request);

        _clock.Advance(TimeSpan.FromSeconds(6));
        Assert.False(entering.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));

        var refused = await Assert.ThrowsAsync<ApplicationUnavailableException>(() => entering);
        Assert.Equal("No generation came up within 7 s (DevReloaderOptions.HoldTimeout).", refused.Message);
    }

    [Fact]
    public async Task Fail_RequestsHeldAndLater_AreRefusedWithTheReasonUntilTheNextHold()
    {
        _requests.Hold();
        using var held = new FakeRequest();
        var entering = EnterAsync(held);

        _requests.Fail("no settings");

        Assert.Equal("no settings", (await Assert.ThrowsAsync<ApplicationUnavailableException>(() => entering)).Message);
        using var later = new FakeRequest();
        Assert.Equal("no settings", (await Assert.ThrowsAsync<ApplicationUnavailableException>(() => EnterAsync(later))).Message);

        _requests.Hold();
        using var afterwards = new FakeRequest();
        var waiting = EnterAsync(afterwards);
        Assert.False(waiting.IsCompleted);
        _requests.Publish(FakeApplication.Running(2));
        await waiting;
    }

    private Task<RunningApplication> EnterAsync(FakeRequest request) =>
        _requests.EnterAsync(request.Switched).AsTask().WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);
}
