namespace ResilientHosting.Reloading;

/// <summary>
/// Notices that sources changed. An event says which file to look at, and anything unusual (a folder, an overflow, an unknown file) is a
/// reason to look at every file. A regular sweep does so even when no event came: a lost event costs a moment and never an edit.
/// </summary>
internal sealed class SourceWatcher : IDisposable
{
    private static readonly TimeSpan SweepBesideEvents = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SweepAlone = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan LongestBurst = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan LongestWork = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan BetweenQuestions = TimeSpan.FromMilliseconds(100);

    private readonly DevReloaderOptions _options;
    private readonly TimeProvider _clock;
    private readonly ReloadConsole _console;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly HashSet<string> _named = [];
    private readonly FolderEvents _events;
    private readonly ITimer _timer;
    private readonly TriggerFile? _trigger;
    private SourceTree _tree;
    private SourceSweep _sweep;
    private SourceSnapshot _served = SourceSnapshot.Empty;
    private SourceSnapshot _latest = SourceSnapshot.Empty;
    private string? _requested;
    private long _lastEvent;
    private bool _lookAtAll;
    private bool _gone;
    private bool _paused;
    private volatile bool _disposed;

    public SourceWatcher(SourceTree tree, DevReloaderOptions options, TimeProvider clock, ReloadConsole console)
    {
        _tree = tree;
        _sweep = new SourceSweep(tree);
        _options = options;
        _clock = clock;
        _console = console;
        _trigger = options.TriggerFile is { } trigger ? new TriggerFile(Path.GetFullPath(trigger, tree.ProjectDirectory)) : null;
        _events = new FolderEvents(console, OnFileEvent, OnFolderEvent);
        _timer = clock.CreateTimer(
            static watcher => ((SourceWatcher)watcher!).LookAtAll(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Gets or sets whose work on the files is waited for.</summary>
    public IReadOnlyList<IWorkInProgress> Others { get; set; } = [];

    /// <summary>Gets the sources as they were when they were last dealt with.</summary>
    public SourceSnapshot Served => _served;

    /// <summary>Gets when the last event or request came in, as a time stamp of the clock.</summary>
    public long LastEvent => Interlocked.Read(ref _lastEvent);

    /// <summary>Takes the first look and begins to watch.</summary>
    public void Start()
    {
        _served = _latest = SourceSnapshot.Empty.Retake(_tree.Enumerate(), _clock.GetUtcNow());
        WatchFolders();
        LookAtAll();
        if (_options.Watch != WatchMode.Events)
        {
            var interval = _options.PollingInterval ?? (_options.Watch == WatchMode.Polling ? SweepAlone : SweepBesideEvents);
            _timer.Change(interval, interval);
        }
    }

    /// <summary>Replaces the default rules by what MSBuild says. Edits made since the watcher was created are not lost.</summary>
    public void Refine(SourceTree tree)
    {
        _served = _served.Restrict(tree.Enumerate().ToHashSet(), tree.EnumerateBeyond(_tree), _clock.GetUtcNow());
        _tree = tree;
        _sweep = new SourceSweep(tree);
        _latest = _served;
        WatchFolders();
        LookAtAll();
    }

    public void Request(string reason)
    {
        _requested = reason;
        LookAtAllNextTime();
        OnEvent();
    }

    public void Pause() => _paused = true;

    public void Resume()
    {
        _paused = false;
        LookAtAllNextTime();
        OnEvent();
    }

    /// <summary>Waits until something differs from what is being served, and nobody else is at work on the files.</summary>
    public async ValueTask<SourceLook> WaitForChangesAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!_paused && Look() is { Changes.IsEmpty: false } look)
            {
                if (await WaitForOthersAsync(cancellationToken).ConfigureAwait(false))
                {
                    continue;
                }

                if (look.Changes.Changes.Any(change => change.Kind == ChangeKind.Deleted || look.Files.IsHalfWritten(change.Path)))
                {
                    // Many editors save by emptying or deleting the file first. A build of that would only be in the way.
                    look = await SettleAsync(cancellationToken).ConfigureAwait(false);
                    if (look.Changes.IsEmpty)
                    {
                        continue;
                    }
                }

                return look;
            }

            await _wake.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until the sources differ from how they are now, whatever else is still waiting to be dealt with.</summary>
    public ValueTask WaitForNextEditAsync(CancellationToken cancellationToken) => WaitForNextEditAsync(Look().Files, cancellationToken);

    /// <summary>Waits until the sources differ from how they were.</summary>
    public async ValueTask WaitForNextEditAsync(SourceSnapshot files, CancellationToken cancellationToken)
    {
        while (Look().Files.ChangesSince(files).Count == 0)
        {
            await _wake.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Waits until nothing has happened for the quiet period, or a burst has gone on for too long, and nobody else is at work; then looks
    /// again.
    /// </summary>
    public async ValueTask<SourceLook> SettleAsync(CancellationToken cancellationToken)
    {
        var started = _clock.GetTimestamp();
        if (_clock.GetElapsedTime(LastEvent) > LongestBurst)
        {
            // No event told of this change, and none will tell of the rest of it.
            LookAtAll();
        }

        while (_clock.GetElapsedTime(started) < LongestBurst)
        {
            var quietFor = _clock.GetElapsedTime(LastEvent);
            if (quietFor >= _options.QuietPeriod)
            {
                break;
            }

            await Task.Delay(_options.QuietPeriod - quietFor, _clock, cancellationToken).ConfigureAwait(false);
        }

        await WaitForOthersAsync(cancellationToken).ConfigureAwait(false);
        lock (_named)
        {
            // The event of a second save may still be on its way.
            _named.UnionWith(_latest.ChangesSince(_served).Select(change => change.Path));
        }

        return Look();
    }

    /// <summary>The files as they were at this look are dealt with: being served, or rejected with an error.</summary>
    public void Accept(SourceLook look)
    {
        _served = look.Files;
        Interlocked.CompareExchange(ref _requested, null, look.Changes.RequestedBecause);
        WatchFolders();
    }

    public void Dispose()
    {
        _disposed = true;
        _timer.Dispose();
        _events.Dispose();
    }

    /// <summary>Waits for git, or for a build that somebody else runs: their many writes are one change.</summary>
    /// <returns>Whether there was anything to wait for.</returns>
    private async ValueTask<bool> WaitForOthersAsync(CancellationToken cancellationToken)
    {
        var began = _clock.GetTimestamp();
        string? said = null;
        while (Others.Select(other => other.Find(_clock.GetUtcNow())).FirstOrDefault(reason => reason is not null) is { } reason)
        {
            if (said is null)
            {
                said = reason;
                _console.Say($"{reason}; waiting until it is done");
            }
            else if (_clock.GetElapsedTime(began) >= LongestWork)
            {
                _console.Say($"{reason}, after {LongestWork.TotalSeconds:0} s still; not waiting any longer");
                return false;
            }

            await Task.Delay(BetweenQuestions, _clock, cancellationToken).ConfigureAwait(false);
        }

        if (said is not null)
        {
            LookAtAll();
        }

        return said is not null;
    }

    private SourceLook Look()
    {
        if (_trigger?.WasTouched() == true)
        {
            Interlocked.CompareExchange(ref _requested, $"{_trigger.Name} touched", null);
        }

        try
        {
            SayWhetherGone(!_tree.Exists);
            if (!_gone)
            {
                _latest = LookWhereAsked();
                return new SourceLook(new ChangeSet(_latest.ChangesSince(_served), _requested), _latest);
            }
        }
        catch (IOException)
        {
            // A folder vanished between being listed and being opened. The event or the sweep that tells of it is on its way.
            LookAtAllNextTime();
        }

        return new SourceLook(new ChangeSet([], _requested), _served);
    }

    private SourceSnapshot LookWhereAsked()
    {
        string[] named;
        bool all;
        lock (_named)
        {
            (named, all) = ([.. _named], _lookAtAll);
            _named.Clear();
            _lookAtAll = false;
        }

        try
        {
            var now = _clock.GetUtcNow();
            var files = _latest.Reread([.. named.Where(_latest.Contains)], now);
            return all || named.Any(path => !_latest.Contains(path)) ? _sweep.Look(files, now) : files;
        }
        catch
        {
            LookAtAllNextTime();
            throw;
        }
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
            _events.Clear();
            WatchFolders();
            LookAtAllNextTime();
        }
    }

    private void WatchFolders()
    {
        if (_options.Watch == WatchMode.Polling || !_tree.Exists)
        {
            return;
        }

        try
        {
            _events.Watch(_tree.WatchRoots());
            if (Directory.Exists(_trigger?.Directory))
            {
                _events.Watch([(_trigger.Directory, false)]);
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Gone between being found and being listed. The event or the sweep that tells of it is on its way.
        }
    }

    private void OnFileEvent(string path)
    {
        // The rest of a project folder may be busy all day: a database, logs, an editor's swap files.
        if (_tree.MayBeInput(path))
        {
            lock (_named)
            {
                _named.Add(path);
            }
        }
        else if (Path.GetFileName(path) != _trigger?.Name)
        {
            return;
        }

        OnEvent();
    }

    private void OnFolderEvent()
    {
        WatchFolders();
        LookAtAllNextTime();
        OnEvent();
    }

    private void LookAtAll()
    {
        LookAtAllNextTime();
        Wake();
    }

    private void LookAtAllNextTime()
    {
        lock (_named)
        {
            _lookAtAll = true;
        }
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
