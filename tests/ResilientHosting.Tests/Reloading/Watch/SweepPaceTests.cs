using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class SweepPaceTests
{
    private readonly ManualTimeProvider _clock = new();

    [Theory]
    [InlineData(1, 1000)]
    [InlineData(10, 1500)]
    [InlineData(100, 15000)]
    public void IsDue_AfterASweep_LeavesMoreTimeTheLongerItTook(int tookMilliseconds, int dueMilliseconds)
    {
        var interval = TimeSpan.FromSeconds(1);
        var pace = new SweepPace(interval, rest: 150, _clock);
        _clock.Advance(interval);
        Assert.True(pace.IsDue);

        var began = _clock.GetTimestamp();
        _clock.Advance(TimeSpan.FromMilliseconds(tookMilliseconds));
        pace.Swept(began, _clock.GetElapsedTime(began));
        _clock.Advance(TimeSpan.FromMilliseconds(dueMilliseconds - tookMilliseconds) - (interval / 4) - TimeSpan.FromMilliseconds(1));
        Assert.False(pace.IsDue);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(pace.IsDue);
    }
}
