using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Distributed;

namespace ResilientHosting.Tests.Aborts.Policy.Adoption;

/// <summary>What several hosts of a test share. It can fail or hang on demand.</summary>
public sealed class SharedCache : IDistributedCache
{
    private readonly ConcurrentDictionary<string, (byte[] Value, DateTimeOffset ExpiresAt)> _entries = new();
    private int _calls;

    public bool Fails { get; set; }

    public bool Hangs { get; set; }

    public int Calls => Volatile.Read(ref _calls);

    public byte[]? Get(string key) =>
        _entries.TryGetValue(key, out var entry) && entry.ExpiresAt > TimeProvider.System.GetUtcNow() ? entry.Value : null;

    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        await CallAsync();
        return Get(key);
    }

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options)
    {
        var expiresIn = options.AbsoluteExpirationRelativeToNow ?? options.SlidingExpiration ?? TimeSpan.FromHours(1);
        _entries[key] = (value, TimeProvider.System.GetUtcNow() + expiresIn);
    }

    public async Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        await CallAsync();
        Set(key, value, options);
    }

    public void Refresh(string key) => Get(key);

    public Task RefreshAsync(string key, CancellationToken token = default) => GetAsync(key, token);

    public void Remove(string key) => _entries.TryRemove(key, out _);

    public async Task RemoveAsync(string key, CancellationToken token = default)
    {
        await CallAsync();
        Remove(key);
    }

    private Task CallAsync()
    {
        Interlocked.Increment(ref _calls);
        return Fails ? Task.FromException(new IOException("The cache is gone."))
            : Hangs ? new TaskCompletionSource().Task
            : Task.CompletedTask;
    }
}
