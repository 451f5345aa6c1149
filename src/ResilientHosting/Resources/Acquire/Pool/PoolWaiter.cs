namespace ResilientHosting.Resources;

/// <summary>
/// Somebody in the queue of a pool. Continuations run elsewhere, so that it can be completed under the pool's gate.
/// </summary>
internal sealed class PoolWaiter<T>(ResourceStack holder, Lineage? lineage)
    : TaskCompletionSource<PoolEntry<T>>(TaskCreationOptions.RunContinuationsAsynchronously)
    where T : class
{
    public ResourceStack Holder { get; } = holder;

    /// <summary>For whom an object made on this waiter's behalf is made.</summary>
    public Lineage? Lineage { get; } = lineage;
}
