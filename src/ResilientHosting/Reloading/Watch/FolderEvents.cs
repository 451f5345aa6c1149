namespace ResilientHosting.Reloading;

/// <summary>
/// The operating system's events for a set of folders. Each folder costs an inotify instance and a thread, of which there are few. A folder
/// that can't be watched is told once.
/// </summary>
internal sealed class FolderEvents(ReloadConsole console, string instead, Action<string> onFile, Action<string> onFolder) : IDisposable
{
    /// <summary>How many folders are watched at most: a user has 128 instances, of which an editor takes some.</summary>
    public const int Most = 24;

    private readonly Dictionary<string, FileSystemWatcher> _watchers = [];
    private readonly Dictionary<string, string> _blind = [];
    private readonly HashSet<string> _said = [];
    private string? _limit;
    private bool _disposed;

    /// <summary>Whether events tell of a folder.</summary>
    public bool Watches(string folder)
    {
        lock (_watchers)
        {
            return _watchers.ContainsKey(folder);
        }
    }

    /// <summary>Why events don't tell of a folder.</summary>
    /// <returns>Null if they do.</returns>
    public string? WhyNot(string folder)
    {
        lock (_watchers)
        {
            return _watchers.ContainsKey(folder) ? null : _blind.GetValueOrDefault(folder) ?? _limit ?? $"more than {Most} folders of sources";
        }
    }

    /// <summary>Watches these folders, with what is below them or without, and no others.</summary>
    /// <returns>Those that were not watched so far.</returns>
    public IReadOnlyList<string> Watch(IReadOnlyDictionary<string, bool> folders)
    {
        Unwatch((path, watcher) => !folders.TryGetValue(path, out var recursive) || recursive != watcher.IncludeSubdirectories);
        return [.. folders.Where(folder => TryWatch(folder.Key, folder.Value)).Select(folder => folder.Key)];
    }

    /// <summary>Forgets which folders could not be watched, except where a limit was the reason.</summary>
    public void TryAgain()
    {
        lock (_watchers)
        {
            _blind.Clear();
        }
    }

    public void Clear() => Unwatch((_, _) => true);

    public void Dispose()
    {
        lock (_watchers)
        {
            _disposed = true;
        }

        Clear();
    }

    private bool TryWatch(string path, bool recursive)
    {
        var watcher = new FileSystemWatcher { IncludeSubdirectories = recursive };
        watcher.Changed += (_, change) => IfInSight(change.FullPath, onFile);
        watcher.Created += (_, change) => IfInSight(change.FullPath, OnEntry);
        watcher.Deleted += (_, change) => IfInSight(change.FullPath, OnEntry);
        watcher.Renamed += (_, change) =>
        {
            IfInSight(change.OldFullPath, OnEntry);
            IfInSight(change.FullPath, OnEntry);
        };
        watcher.Error += (_, error) => OnError(path, error.GetException());
        if (!TryAdd(path, watcher))
        {
            watcher.Dispose();
            return false;
        }

        try
        {
            watcher.Path = path;
            watcher.EnableRaisingEvents = true;
            if (!Watches(path))
            {
                // It failed while it began, and was disposed of before it had all that disposal gives back.
                watcher.EnableRaisingEvents = false;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or ObjectDisposedException)
        {
            Unwatch((_, other) => other == watcher);
            if (e is not ObjectDisposedException && Directory.Exists(path))
            {
                SayBlind(path, e);
            }
        }

        return Watches(path);

        // A tree may have a build's outputs in it.
        void IfInSight(string changed, Action<string> tell)
        {
            if (!recursive || SourceTree.IsInSight(path, changed))
            {
                tell(changed);
            }
        }
    }

    private bool TryAdd(string path, FileSystemWatcher watcher)
    {
        lock (_watchers)
        {
            if (_disposed || _limit is not null || _blind.ContainsKey(path) || _watchers.ContainsKey(path))
            {
                return false;
            }

            if (_watchers.Count < Most)
            {
                _watchers.Add(path, watcher);
                return true;
            }
        }

        SayOnce("too many", $"more than {Most} folders of sources; {path} and the rest are {instead}");
        return false;
    }

    private void OnError(string path, Exception error)
    {
        if (error is not InternalBufferOverflowException)
        {
            SayBlind(path, error);
        }

        // Events were lost: the folder is to be looked at, and watched afresh if it can be.
        Unwatch((watched, _) => watched == path);
        onFolder(path);
    }

    private void SayBlind(string path, Exception error)
    {
        var limit = InotifyLimit.Describe(error);
        lock (_watchers)
        {
            // With a limit reached others would fail alike, and take what is left of it from the editor.
            _limit ??= limit;
            _blind[path] = limit ?? "can't be watched: " + error.Message.TrimEnd('.');
        }

        if (limit is not null)
        {
            SayOnce("limit", $"{limit}. Until then {path} and what else can't be watched is {instead}");
        }
        else
        {
            SayOnce(path, $"{path} can't be watched ({error.Message.TrimEnd('.')}) and is {instead}");
        }
    }

    private void SayOnce(string what, string line)
    {
        lock (_said)
        {
            if (!_said.Add(what))
            {
                return;
            }
        }

        console.Say(line);
    }

    private void OnEntry(string path)
    {
        // A folder that came or went. What watched it, or a folder in it, watches what is no longer there, even if the name is taken again.
        if (Unwatch((watched, _) => watched == path || SourceTree.IsUnder(path, watched)) | Directory.Exists(path))
        {
            onFolder(path);
        }
        else
        {
            onFile(path);
        }
    }

    private bool Unwatch(Func<string, FileSystemWatcher, bool> which)
    {
        KeyValuePair<string, FileSystemWatcher>[] removed;
        lock (_watchers)
        {
            removed = [.. _watchers.Where(watched => which(watched.Key, watched.Value))];
            foreach (var (path, _) in removed)
            {
                _watchers.Remove(path);
            }
        }

        // Not under the lock: a watcher that reports an error holds a lock of its own, and its handler waits for ours.
        foreach (var (_, watcher) in removed)
        {
            watcher.Dispose();
        }

        return removed.Length > 0;
    }
}
