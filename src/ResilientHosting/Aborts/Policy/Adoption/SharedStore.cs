using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Caching.Distributed;

namespace ResilientHosting.Aborts;

/// <summary>
/// The distributed cache behind a guard: nothing it does takes longer than its time or throws. After a failure it is left alone for
/// a while, so that an outage costs one slow request and not each.
/// </summary>
internal sealed class SharedStore(IDistributedCache cache, AdoptionOptions options, TimeProvider clock, ILogger logger)
{
    private static readonly TimeSpan WarningInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private DateTimeOffset _suspendedUntil = DateTimeOffset.MinValue;
    private DateTimeOffset _nextWarning = DateTimeOffset.MinValue;
    private long _failures;

    public bool IsSuspended
    {
        get
        {
            lock (_lock)
            {
                return clock.GetUtcNow() < _suspendedUntil;
            }
        }
    }

    /// <summary>Reads an entry.</summary>
    /// <returns>Whether the cache answered, and what it has.</returns>
    public async Task<(bool Answered, SharedRecord? Record)> GetAsync(string key)
    {
        SharedRecord? record = null;
        var answered = await GuardAsync(async timeout =>
        {
            var bytes = await cache.GetAsync(key, timeout).ConfigureAwait(false);
            record = bytes is null ? null : SharedRecord.Parse(bytes);
        }).ConfigureAwait(false);
        return (answered, answered ? record : null);
    }

    public Task<bool> SetAsync(string key, SharedRecord record, TimeSpan expiresIn) =>
        SetAsync(key, record, new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = expiresIn });

    /// <summary>Writes an entry that expires when nobody has read it for some time.</summary>
    public Task<bool> SetWhileReadAsync(string key, SharedRecord record, TimeSpan expiresAfter) =>
        SetAsync(key, record, new DistributedCacheEntryOptions { SlidingExpiration = expiresAfter });

    public Task<bool> RemoveAsync(string key) => GuardAsync(timeout => cache.RemoveAsync(key, timeout));

    private Task<bool> SetAsync(string key, SharedRecord record, DistributedCacheEntryOptions entryOptions) =>
        GuardAsync(timeout => cache.SetAsync(key, record.ToBytes(), entryOptions, timeout));

    [SuppressMessage("Design", "CA1031", Justification = "A cache fails with whatever its client throws, and no request may fail with it.")]
    private async Task<bool> GuardAsync(Func<CancellationToken, Task> operation)
    {
        using var timeout = new CancellationTokenSource(options.CacheTimeout, clock);
        try
        {
            // Not every client of a cache heeds its token.
            await operation(timeout.Token).Observed().WaitAsync(timeout.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception)
        {
            ReportFailure(exception);
            return false;
        }
    }

    private void ReportFailure(Exception exception)
    {
        long failures;
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            _suspendedUntil = now + options.LeaseDuration;
            failures = ++_failures;
            if (now < _nextWarning)
            {
                return;
            }

            _nextWarning = now + WarningInterval;
            _failures = 0;
        }

        ResendLog.CacheFailed(logger, exception, options.CacheTimeout, failures);
    }
}
