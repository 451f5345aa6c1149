using System.Collections.Concurrent;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Sample;

/// <summary>A manual clock that tells when somebody begins to wait for a given time: the moment from which advancing it has an effect.</summary>
public sealed class SignallingClock : TimeProvider
{
    private readonly ManualTimeProvider _clock = new();
    private readonly ConcurrentDictionary<TimeSpan, SemaphoreSlim> _started = [];

    public override long TimestampFrequency => _clock.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => _clock.GetUtcNow();

    public override long GetTimestamp() => _clock.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = _clock.CreateTimer(callback, state, dueTime, period);
        Started(dueTime).Release();
        return timer;
    }

    public void Advance(TimeSpan by) => _clock.Advance(by);

    public async Task WaitForTimerAsync(TimeSpan dueTime) =>
        Assert.True(
            await Started(dueTime).WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken),
            $"Nobody waited for {dueTime}.");

    private SemaphoreSlim Started(TimeSpan dueTime) => _started.GetOrAdd(dueTime, _ => new SemaphoreSlim(0));
}
