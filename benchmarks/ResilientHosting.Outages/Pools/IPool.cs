namespace ResilientHosting.Outages;

/// <summary>A pool under test. Its size and its deadline were set when it was made.</summary>
internal interface IPool<T> : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Acquires an object, works with it and gives it back. Throws what the acquisition or the work threw.</summary>
    Task UseAsync(Func<T, Task> work);
}

/// <summary>The same for every pool, as far as it has such a setting.</summary>
internal sealed record PoolLimits(int MaxSize, TimeSpan AcquireTimeout);
