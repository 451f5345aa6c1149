namespace ResilientHosting.Resources;

/// <summary>Why a pool had nothing to hand out.</summary>
public enum ResourceAcquireFailure
{
    /// <summary>All objects were in use all the time.</summary>
    Exhausted,

    /// <summary>Objects were being created and none was ready in time.</summary>
    Creating,

    /// <summary>Objects could not be created. The exception's inner exception says why the last creation failed.</summary>
    BackendFailing,

    /// <summary>All objects were held by scopes that wait for another one of the same pool, so none would have come back.</summary>
    Deadlocked,

    /// <summary>The pool was paused, see <see cref="IResourcePool{T}.Pause"/>.</summary>
    Paused,
}

/// <summary>A pool could not hand out an object within its <see cref="ResourcePoolOptions{T}.AcquireTimeout"/>.</summary>
public sealed class ResourceAcquireTimeoutException : TimeoutException
{
    internal ResourceAcquireTimeoutException(
        string message, ResourceAcquireFailure reason, ResourcePoolStatistics statistics, Exception? innerException)
        : base(message, innerException)
    {
        Reason = reason;
        Statistics = statistics;
    }

    /// <summary>Why there was nothing to hand out.</summary>
    public ResourceAcquireFailure Reason { get; }

    /// <summary>What the pool held when the wait was given up.</summary>
    public ResourcePoolStatistics Statistics { get; }
}
