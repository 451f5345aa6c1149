using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Reloading;

/// <summary>
/// The paths below which the application believes itself to be. A proxy may pass on what is below such a path alone, so the reloader has
/// to be there too. They are learned from the application's own answers: no path is taken that it might use otherwise.
/// </summary>
internal sealed class PathBases
{
    // An application has one, or a few branches. More would be a path base for each customer.
    private const int Most = 16;

    private readonly ConcurrentDictionary<string, bool> _bases = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Finds out whether a path is the reloader's.</summary>
    /// <returns>What comes before its own path: nothing, or a path base of the application. Null if the path is the application's.</returns>
    public string? BaseOf(string path)
    {
        var at = path.IndexOf(DevEndpoints.Path, StringComparison.Ordinal);
        var end = at + DevEndpoints.Path.Length;
        if (at < 0 || (end < path.Length && path[end] != '/'))
        {
            return null;
        }

        var before = path[..at];
        return before.Length == 0 || _bases.ContainsKey(before) ? before : null;
    }

    /// <summary>Learns, as the response to a request starts, below which path the application answers it.</summary>
    public void LearnFrom(IFeatureCollection features)
    {
        var request = features.GetRequiredFeature<IHttpRequestFeature>();
        features.GetRequiredFeature<IHttpResponseFeature>().OnStarting(
            static state =>
            {
                var (bases, request, path) = ((PathBases, IHttpRequestFeature, string))state;
                bases.Learn(request.PathBase, path);
                return Task.CompletedTask;
            },
            (this, request, request.Path));
    }

    private void Learn(string pathBase, string path)
    {
        // One that a header has brought in is not in the path that reaches the server.
        if (pathBase.Length > 0 && path.StartsWith(pathBase, StringComparison.Ordinal) && _bases.Count < Most)
        {
            _bases.TryAdd(pathBase, true);
        }
    }
}
