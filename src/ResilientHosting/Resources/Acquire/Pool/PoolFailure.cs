namespace ResilientHosting.Resources;

/// <summary>Says why a pool has nothing to hand out, and what to do about it.</summary>
internal static class PoolFailure
{
    public static ResourceAcquireTimeoutException Create(
        string pool, ResourceAcquireFailure reason, ResourcePoolStatistics statistics, TimeSpan waited, Exception? cause)
    {
        var when = reason == ResourceAcquireFailure.Deadlocked ? "can become free"
            : waited == TimeSpan.Zero ? "is free, and as many wait already as may (MaxWaiters)"
            : $"became free within {waited:c}";
        var why = reason switch
        {
            ResourceAcquireFailure.Exhausted => "All objects are in use: give them back earlier (ReleaseAsync, ReleaseAfterHandler), or raise MaxSize.",
            ResourceAcquireFailure.Creating => "Objects are being created, but the backend is slow: raise AcquireTimeout, or keep some ready with MinIdle.",
            ResourceAcquireFailure.BackendFailing => $"Objects cannot be created: {cause?.Message}",
            ResourceAcquireFailure.Paused => "The pool is paused: whoever called IResourcePool.Pause has not called Resume.",
            _ => "Every object is held by a scope that waits for a second one of this pool: pass the first one on instead of opening " +
                "another scope, or release it before.",
        };
        return new ResourceAcquireTimeoutException(
            $"No {pool} {when}. {why} (pool: {statistics.Used} used, {statistics.Idle} idle, {statistics.Creating} creating, " +
            $"{statistics.Waiting} waiting, {statistics.Total} of {statistics.Max})",
            reason,
            statistics,
            cause);
    }
}
