using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class MissedEventTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    private readonly ManualTimeProvider _clock = new();
    private readonly MissedEvents _missed;

    public MissedEventTests() => _missed = new MissedEvents(_clock);

    [Fact]
    public void Change_WithoutAnEventForTheGrace_IsMissedOnce()
    {
        _missed.Found("/app/Order.cs");
        _clock.Advance(MissedEvents.Grace - Moment);
        Assert.Empty(_missed.TakeMissed());

        _clock.Advance(Moment);
        Assert.Equal(["/app/Order.cs"], _missed.TakeMissed());
        Assert.Empty(_missed.TakeMissed());
    }

    [Theory]
    [InlineData("/app/Orders/Order.cs")]
    [InlineData("/app/Orders")]
    [InlineData("/app")]
    public void Change_ThatTheSweepFoundBeforeItsEvent_IsNotMissed(string named)
    {
        _missed.Found("/app/Orders/Order.cs");
        _clock.Advance(MissedEvents.Grace - Moment);
        _missed.Heard(named);

        _clock.Advance(MissedEvents.Grace);
        Assert.Empty(_missed.TakeMissed());
    }

    [Theory]
    [InlineData("/app/Orders/Order.cs")]
    [InlineData("/app/Orders")]
    public void Change_ThatAnEventNamedAMomentAgo_IsNotMissed(string named)
    {
        _missed.Heard(named);
        _missed.Heard("/app/Other.cs");
        _clock.Advance(Moment);
        _missed.Found("/app/Orders/Order.cs");

        _clock.Advance(MissedEvents.Grace);
        Assert.Empty(_missed.TakeMissed());
    }

    [Fact]
    public void Change_LongAfterTheLastEvent_IsMissed()
    {
        _missed.Heard("/app/Order.cs");
        _clock.Advance(MissedEvents.Grace + Moment);
        _missed.Found("/app/Order.cs");
        _missed.Heard("/app/Order.cs.tmp");

        _clock.Advance(MissedEvents.Grace);
        Assert.Equal(["/app/Order.cs"], _missed.TakeMissed());
    }
}
