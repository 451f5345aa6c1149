namespace ResilientHosting.Reloading;

/// <summary>The operating system's events for a set of folders. A folder that can't be watched is named once, and left to the sweeps.</summary>
internal sealed class FolderEvents(ReloadConsole console, Action<string> onFile, Action onFolder) : IDisposable
{
    private readonly Dictionary<string, FileSystemWatcher> _watchers = [];
    private readonly HashSet<string> _blind = [];
    private bool _disposed;

    /// <summary>Watches the folders among these that are not being watched yet.</summary>
    public void Watch(IEnumerable<(string Path, bool Recursive)> folders)
    {
        lock (_watchers)
        {
            foreach (var (path, recursive) in folders)
            {
                if (!_disposed && !_watchers.ContainsKey(path) && TryWatch(path, recursive) is { } watcher)
                {
                    _watchers[path] = watcher;
                }
            }
        }
    }

    public void Clear()
    {
        lock (_watchers)
        {
            foreach (var watcher in _watchers.Values)
            {
                watcher.Dispose();
            }

            _watchers.Clear();
        }
    }

    public void Dispose()
    {
        lock (_watchers)
        {
            _disposed = true;
            Clear();
        }
    }

    private FileSystemWatcher? TryWatch(string path, bool recursive)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(path) { IncludeSubdirectories = recursive };
            watcher.Changed += (_, change) => onFile(change.FullPath);
            watcher.Created += (_, change) => OnEntry(change.FullPath);
            watcher.Deleted += (_, change) => OnEntry(change.FullPath);
            watcher.Renamed += (_, change) =>
            {
                OnEntry(change.OldFullPath);
                OnEntry(change.FullPath);
            };
            watcher.Error += (_, _) => OnOverflow(path);
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            watcher?.Dispose();
            if (_blind.Add(path))
            {
                console.Say($"no events for {path} ({e.Message.TrimEnd('.')}); its files are looked at in regular sweeps instead");
            }

            return null;
        }
    }

    /// <summary>Events were lost: the folder is to be looked at, and watched afresh afterwards.</summary>
    private void OnOverflow(string path)
    {
        Unwatch(path);
        onFolder();
    }

    private void OnEntry(string path)
    {
        // A folder that came or went. A watcher that it had watches what is no longer there, even if the name is taken again.
        if (Unwatch(path) | Directory.Exists(path))
        {
            onFolder();
        }
        else
        {
            onFile(path);
        }
    }

    private bool Unwatch(string path)
    {
        FileSystemWatcher? watcher;
        lock (_watchers)
        {
            _watchers.Remove(path, out watcher);
        }

        watcher?.Dispose();
        return watcher is not null;
    }
}
