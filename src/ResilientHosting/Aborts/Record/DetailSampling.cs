using System.Collections.Concurrent;

namespace ResilientHosting.Aborts;

/// <summary>Counts the aborts of each route, and picks the first and then every n-th of them. Routes are few; requests are not.</summary>
internal sealed class DetailSampling(int every)
{
    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);

    public int Every => every;

    /// <param name="route">The route.</param>
    /// <param name="number">Which abort of its route this one is.</param>
    /// <returns>Whether it is one to be written down in full.</returns>
    public bool Picks(string route, out long number)
    {
        number = every == 0 ? 0 : _counts.AddOrUpdate(route, 1, static (_, count) => count + 1);
        return number > 0 && (number - 1) % every == 0;
    }
}
