namespace ResilientHosting.Resources;

/// <summary>
/// When a pool may try to create an object. As long as that works: at once. After failures: one probe at a time. If somebody waits the
/// next follows within a second, so that recovery is noticed; if nobody does, the pauses double up to 30 seconds. Not safe for concurrent
/// use: the pool's gate guards it.
/// </summary>
internal sealed class CreationPacer
{
    private const long FirstPause = 500;
    private const long LongestDemandedPause = 1_000;
    private const long LongestPause = 30_000;

    private static readonly TimeSpan LeastPatience = TimeSpan.FromSeconds(1);

    private int _failures;
    private long _failedAt;
    private double _jitter;

    public bool IsFailing => _failures > 0;

    /// <summary>Why the last creation failed; <see langword="null"/> after a success.</summary>
    public Exception? LastError { get; private set; }

    /// <summary>How long a creation may be silent: long enough for what the last one took.</summary>
    public TimeSpan Patience { get; private set; } = LeastPatience;

    /// <summary>How many creations may be in flight together.</summary>
    public int Limit(int configured) => IsFailing ? 1 : configured;

    /// <summary>From when on the next creation may start, in milliseconds of the pool's clock.</summary>
    public long NextStart(bool demanded)
    {
        if (!IsFailing)
        {
            return long.MinValue;
        }

        var longest = demanded ? LongestDemandedPause : LongestPause;
        var pause = Math.Min(FirstPause << Math.Min(_failures - 1, 10), longest);
        return _failedAt + (long)(pause * _jitter);
    }

    /// <param name="took">How long the creation took, in milliseconds.</param>
    public void OnSuccess(long took)
    {
        Patience = TimeSpan.FromMilliseconds(Math.Max(LeastPatience.TotalMilliseconds, took * 2));
        _failures = 0;
        LastError = null;
    }

    public void OnFailure(long now, Exception error)
    {
        _failures++;
        _failedAt = now;
        LastError = error;

        // Shortens pauses, never lengthens them: many pools must not probe a recovering backend in step.
        _jitter = 0.75 + (Random.Shared.NextDouble() / 4);
    }
}
