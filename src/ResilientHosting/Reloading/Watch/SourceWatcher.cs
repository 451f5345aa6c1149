namespace ResilientHosting.Reloading;

/// <summary>
/// Notices that sources changed. Events only say when to look; what changed is always found by looking at every file, so a lost,
/// doubled or misnamed event costs a moment and never an edit. A regular sweep looks even when no event came.
/// </summary>
internal sealed class SourceWatcher : IDisposable
{
    private static readonly TimeSpan SweepBesideEvents = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SweepAlone = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan LongestBurst = TimeSpan.FromMilliseconds(300);

    private readonly DevReloaderOptions _options;
    private readonly TimeProvider _clock;
    private readonly ReloadConsole _console;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Dictionary<string, FileSystemWatcher> _watchers = [];
    private readonly HashSet<string> _blind = [];
    private readonly ITimer _sweep;
    private SourceTree _tree;
    private SourceSnapshot _served = SourceSnapshot.Empty;
    private string? _requested;
    private long _lastEvent;
    private bool _gone;
    private bool _paused;
    private volatile bool _disposed;

    public SourceWatcher(SourceTree tree, DevReloaderOptions options, TimeProvider clock, ReloadConsole console)
    {
        _tree = tree;
        _options = options;
        _clock = clock;
        _console = console;
        _sweep = clock.CreateTimer(
            static watcher => ((SourceWatcher)watcher!).Wake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Gets the sources as they were when they were last dealt with.</summary>
    public SourceSnapshot Served => _served;

    /// <summary>Gets when the last event or request came in, as a time stamp of the clock.</summary>
    public long LastEvent => Interlocked.Read(ref _lastEvent);

    /// <summary>Takes the first look and begins to watch.</summary>
    public void Start()
    {
        _served = SourceSnapshot.Empty.Retake(_tree.Enumerate());
        WatchDirectories();
        if (_options.Watch != WatchMode.Events)
        {
            var interval = _options.PollingInterval ?? (_options.Watch == WatchMode.Polling ? SweepAlone : SweepBesideEvents);
            _sweep.Change(interval, interval);
        }
    }

    /// <summary>Replaces the default rules by what MSBuild says. Edits made since the watcher was created are not lost.</summary>
    public void Refine(SourceTree tree)
    {
        _served = _served.Restrict(tree.Enumerate().ToHashSet(), tree.EnumerateBeyond(_tree));
        _tree = tree;
        WatchDirectories();
        Wake();
    }

    public void Request(string reason)
    {
        _requested = reason;
        OnEvent();
    }

    public void Pause() => _paused = true;

    public void Resume()
    {
        _paused = false;
        OnEvent();
    }

    /// <summary>Waits until something differs from what is being served.</summary>
    public async ValueTask<SourceLook> WaitForChangesAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!_paused && Look() is { Changes.IsEmpty: false } look)
            {
                return look;
            }

            await _wake.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until the sources differ from how they are now, whatever else is still waiting to be dealt with.</summary>
    public ValueTask WaitForNextEditAsync(CancellationToken cancellationToken) => WaitForEditAfterAsync(Look(), cancellationToken);

    /// <summary>Waits until the sources differ from how they were at a look.</summary>
    public async ValueTask WaitForEditAfterAsync(SourceLook look, CancellationToken cancellationToken)
    {
        while (Look().Files.ChangesSince(look.Files).Count == 0)
        {
            await _wake.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until nothing has happened for the quiet period, or a burst has gone on for too long, and looks again.</summary>
    public async ValueTask<SourceLook> SettleAsync(CancellationToken cancellationToken)
    {
        var started = _clock.GetTimestamp();
        while (_clock.GetElapsedTime(started) < LongestBurst)
        {
            var quietFor = _clock.GetElapsedTime(LastEvent);
            if (quietFor >= _options.QuietPeriod)
            {
                break;
            }

            await Task.Delay(_options.QuietPeriod - quietFor, _clock, cancellationToken).ConfigureAwait(false);
        }

        return Look();
    }

    /// <summary>The files as they were at this look are dealt with: being served, or rejected with an error.</summary>
    public void Accept(SourceLook look)
    {
        _served = look.Files;
        Interlocked.CompareExchange(ref _requested, null, look.Changes.RequestedBecause);
        WatchDirectories();
    }

    public void Dispose()
    {
        _disposed = true;
        _sweep.Dispose();
        UnwatchDirectories();
    }

    private SourceLook Look()
    {
        try
        {
            SayWhetherGone(!_tree.Exists);
            if (!_gone)
            {
                var files = _served.Retake(_tree.Enumerate());
                return new SourceLook(new ChangeSet(files.ChangesSince(_served), _requested), files);
            }
        }
        catch (IOException)
        {
            // A folder vanished between being listed and being opened. The event or the sweep that tells of it is on its way.
        }

        return new SourceLook(new ChangeSet([], _requested), _served);
    }

    private void SayWhetherGone(bool gone)
    {
        if (gone != _gone)
        {
            _gone = gone;
            _console.Say(gone
                ? $"{_tree.ProjectDirectory} is gone; the last good version keeps serving until the folder is back"
                : $"{_tree.ProjectDirectory} is back");

            // What was watched is gone for good, even if a folder of the same name comes back.
            UnwatchDirectories();
            WatchDirectories();
        }
    }

    private void WatchDirectories()
    {
        if (_options.Watch == WatchMode.Polling || !_tree.Exists)
        {
            return;
        }

        lock (_watchers)
        {
            foreach (var (path, recursive) in _tree.WatchRoots())
            {
                if (!_disposed && !_watchers.ContainsKey(path) && TryWatch(path, recursive) is { } watcher)
                {
                    _watchers[path] = watcher;
                }
            }
        }
    }

    private void UnwatchDirectories()
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

    private FileSystemWatcher? TryWatch(string path, bool recursive)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(path) { IncludeSubdirectories = recursive };
            watcher.Changed += (_, change) => OnFileEvent(change.FullPath);
            watcher.Created += (_, change) => OnEntryEvent(change.FullPath);
            watcher.Deleted += (_, change) => OnEntryEvent(change.FullPath);
            watcher.Renamed += (_, change) =>
            {
                OnEntryEvent(change.OldFullPath);
                OnEntryEvent(change.FullPath);
            };
            watcher.Error += (_, _) => Forget(path);
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            watcher?.Dispose();
            if (_blind.Add(path))
            {
                _console.Say($"no events for {path} ({e.Message.TrimEnd('.')}); its files are looked at in regular sweeps instead");
            }

            return null;
        }
    }

    /// <summary>An overflow: look at everything now, and watch the folder afresh afterwards.</summary>
    private void Forget(string path)
    {
        Unwatch(path);
        OnEvent();
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

    private void OnFileEvent(string path)
    {
        // The rest of a project folder may be busy all day: a database, logs, an editor's swap files.
        if (_tree.MayBeInput(path))
        {
            OnEvent();
        }
    }

    private void OnEntryEvent(string path)
    {
        // A folder that came or went. A watcher that it had watches what is no longer there, even if the name is taken again.
        if (Unwatch(path) | Directory.Exists(path))
        {
            WatchDirectories();
            OnEvent();
            return;
        }

        OnFileEvent(path);
    }

    private void OnEvent()
    {
        Interlocked.Exchange(ref _lastEvent, _clock.GetTimestamp());
        Wake();
    }

    private void Wake()
    {
        lock (_wake)
        {
            if (!_disposed && _wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }
    }
}
