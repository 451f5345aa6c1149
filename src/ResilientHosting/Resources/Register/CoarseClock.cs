namespace ResilientHosting.Resources;

/// <summary>Milliseconds for hot paths, where the system's tick count is several times cheaper than its time stamps.</summary>
internal readonly struct CoarseClock(TimeProvider time)
{
    private readonly TimeProvider? _other = ReferenceEquals(time, TimeProvider.System) ? null : time;

    public long Now => _other is null
        ? Environment.TickCount64
        : (long)((Int128)_other.GetTimestamp() * 1000 / _other.TimestampFrequency);
}
