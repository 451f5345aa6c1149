namespace ResilientHosting.Benchmarks.Peers;

/// <summary>A pool as people write it themselves.</summary>
internal interface IPeerPool<T> : IAsyncDisposable
    where T : class
{
    ValueTask<T> AcquireAsync(CancellationToken cancellationToken);

    ValueTask ReturnAsync(T item);
}

/// <summary>What a peer needs to know of the objects it pools.</summary>
/// <param name="Create">Makes one.</param>
/// <param name="IsUsable">Whether it may be handed out again.</param>
/// <param name="Destroy">Ends one.</param>
internal sealed record Pooled<T>(Func<CancellationToken, ValueTask<T>> Create, Func<T, bool> IsUsable, Func<T, ValueTask> Destroy);
