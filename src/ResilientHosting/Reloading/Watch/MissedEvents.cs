namespace ResilientHosting.Reloading;

/// <summary>
/// Changes that a sweep found and no event told of. An event may be late, and it may have told of the folder alone, so a change counts as
/// missed only if none has come within the grace, before or after.
/// </summary>
internal sealed class MissedEvents(TimeProvider clock)
{
    /// <summary>How late an event may be.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _found = [];
    private readonly Dictionary<string, long> _heard = [];
    private long _lastHeard;

    /// <summary>An event named a file, or a folder in which anything may have happened.</summary>
    public void Heard(string path)
    {
        lock (_lock)
        {
            var now = clock.GetTimestamp();
            if (clock.GetElapsedTime(_lastHeard, now) > Grace)
            {
                _heard.Clear();
            }

            _heard[path] = _lastHeard = now;
            foreach (var found in _found.Keys.Where(found => found == path || SourceTree.IsUnder(path, found)).ToArray())
            {
                _found.Remove(found);
            }
        }
    }

    /// <summary>A sweep found that a file has changed.</summary>
    public void Found(string file)
    {
        lock (_lock)
        {
            if (!WasHeardOf(file))
            {
                _found.TryAdd(file, clock.GetTimestamp());
            }
        }
    }

    /// <summary>Returns, once, the files whose change no event has told of.</summary>
    public IReadOnlyList<string> TakeMissed()
    {
        lock (_lock)
        {
            var missed = _found.Where(found => clock.GetElapsedTime(found.Value) >= Grace).Select(found => found.Key).ToArray();
            Array.ForEach(missed, file => _found.Remove(file));
            return missed;
        }
    }

    private bool WasHeardOf(string file)
    {
        for (var path = file; path is not null; path = Path.GetDirectoryName(path))
        {
            if (_heard.TryGetValue(path, out var heard) && clock.GetElapsedTime(heard) <= Grace)
            {
                return true;
            }
        }

        return false;
    }
}
