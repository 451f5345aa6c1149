using System.Diagnostics;

namespace ResilientHosting.Resources;

/// <summary>One object of a pool. All but the object and what its borrower notes is guarded by the pool's gate.</summary>
internal sealed class PoolEntry<T>(HostObject<T> owner, int generation, int trust, double lifetimeFactor, long now)
    where T : class
{
    public HostObject<T> Owner { get; } = owner;

    public T Value { get; } = owner.Value;

    public int Generation { get; } = generation;

    public long CreatedAt { get; } = now;

    /// <summary>When the object's life is over. See <see cref="LimitLife"/>.</summary>
    public long ExpiresAt { get; private set; }

    /// <summary>How often the pool had been disappointed when the object was last known to work: created or validated.</summary>
    public int Trust { get; set; } = trust;

    /// <summary>Since when the object is idle, or was the last time.</summary>
    public long IdleSince { get; set; } = now;

    /// <summary>Whether its last user failed, so that it must be validated whatever the bypass says.</summary>
    public bool IsSuspect { get; set; }

    /// <summary>Who has borrowed it; <see langword="null"/> while nobody has.</summary>
    public ResourceStack? Holder { get; set; }

    /// <summary>When it was lent, for the measurement of its use. Its borrower's.</summary>
    public long LentAt { get; set; }

    /// <summary>The stack of who borrowed it, if this lease was sampled. Its borrower's.</summary>
    public StackTrace? Acquirer { get; set; }

    /// <summary>Sets the end of the object's life: its own part, which differs from others', of the longest one.</summary>
    public void LimitLife(TimeSpan longest) => ExpiresAt = longest == Timeout.InfiniteTimeSpan
        ? long.MaxValue
        : CreatedAt + (long)Math.Min(longest.TotalMilliseconds * lifetimeFactor, long.MaxValue / 2);
}
