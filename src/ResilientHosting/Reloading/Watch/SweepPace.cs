namespace ResilientHosting.Reloading;

/// <summary>When it is time for the next sweep: after the interval, but never so soon that sweeps take more than a share of the time.</summary>
/// <param name="interval">The time from one sweep to the next.</param>
/// <param name="rest">How many times as long as a sweep took must pass until the next.</param>
/// <param name="clock">The clock.</param>
internal sealed class SweepPace(TimeSpan interval, int rest, TimeProvider clock)
{
    private long _began = clock.GetTimestamp();
    private TimeSpan _pause = interval;

    public TimeSpan Interval { get; } = interval;

    // A timer that ticks a moment early is right on time.
    public bool IsDue => clock.GetElapsedTime(_began) >= _pause - (Interval / 4);

    public void Swept(long began, TimeSpan took)
    {
        _began = began;
        _pause = TimeSpan.FromTicks(Math.Max(Interval.Ticks, took.Ticks * rest));
    }
}
