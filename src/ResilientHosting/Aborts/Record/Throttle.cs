using System.Collections.Concurrent;

namespace ResilientHosting.Aborts;

/// <summary>Lets one message of a kind pass in each interval. The kinds are few: routes, not requests.</summary>
internal sealed class Throttle<TKind>(TimeProvider clock, TimeSpan interval)
    where TKind : notnull
{
    private readonly ConcurrentDictionary<TKind, DateTimeOffset> _passedAt = new();

    public bool MayPass(TKind kind)
    {
        var now = clock.GetUtcNow();
        return _passedAt.TryGetValue(kind, out var earlier)
            ? now - earlier >= interval && _passedAt.TryUpdate(kind, now, earlier)
            : _passedAt.TryAdd(kind, now);
    }
}
