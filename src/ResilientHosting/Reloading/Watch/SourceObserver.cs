namespace ResilientHosting.Reloading;

/// <summary>
/// Looks at the sources. An event says which file to look at, and anything unusual (a folder, an overflow, an unknown file) is a reason to
/// look at every file. A regular sweep does so even when no event came: a lost event costs a moment and never an edit, and it is evidence
/// that the folder has to be looked at more often.
/// </summary>
internal sealed class SourceObserver : IDisposable
{
    private readonly WatchMode _mode;
    private readonly TimeProvider _clock;
    private readonly ReloadConsole _console;
    private readonly Action _wake;
    private readonly TriggerFile? _trigger;
    private readonly LookOrders _orders = new();
    private readonly FolderWatch _folders;
    private readonly SweepTimer _timer;
    private readonly MissedEvents _missed;
    private readonly HashSet<string> _unreadable = [];
    private volatile SourceTree _tree;
    private volatile SourceSnapshot _latest = SourceSnapshot.Empty;
    private SourceSweep _sweep;
    private long _lastEvent;
    private bool _gone;

    public SourceObserver(
        SourceTree tree, DevReloaderOptions options, TriggerFile? trigger, TimeProvider clock, ReloadConsole console, Action wake)
    {
        (_mode, _clock, _console, _wake, _trigger, _tree) = (options.Watch, clock, console, wake, trigger, tree);
        _missed = new MissedEvents(clock);
        _folders = new FolderWatch(options, trigger, console, OnFileEvent, OnFolderEvent);
        _timer = new SweepTimer(options, _orders, clock, wake);
        _sweep = new SourceSweep(tree, _folders.Folders);
    }

    /// <summary>Gets the sources as they were at the last look.</summary>
    public SourceSnapshot Latest => _latest;

    /// <summary>Gets when the last event came in, as a time stamp of the clock.</summary>
    public long LastEvent => Interlocked.Read(ref _lastEvent);

    /// <summary>Gets how the sources are watched.</summary>
    public IReadOnlyList<WatchedRoot> Roots => _folders.Roots;

    /// <summary>Takes the first look and begins to watch.</summary>
    public void Start()
    {
        ListFolders();
        _latest = _sweep.Look(SourceSnapshot.Empty, _folders.Folders.All, _clock.GetUtcNow());
        WatchFolders();
        LookAtAll();
    }

    /// <summary>Goes by other rules from now on.</summary>
    /// <param name="tree">The rules.</param>
    /// <param name="known">How the files that matter by these rules looked earlier.</param>
    public void Refine(SourceTree tree, SourceSnapshot known)
    {
        _tree = tree;
        _latest = known;
        ListFolders();
        WatchFolders();
        LookAtAll();
    }

    /// <summary>The next look is to be at all files, whoever asks for it.</summary>
    public void LookAtAll()
    {
        _orders.LookAtAll();
        _wake();
    }

    /// <summary>The next look is to be at these files, whatever their time stamps say.</summary>
    public void LookAt(IEnumerable<string> files) => _orders.LookAt(files);

    /// <summary>Something happened, as an event or a request tells: a quiet period begins.</summary>
    public void Note()
    {
        Interlocked.Exchange(ref _lastEvent, _clock.GetTimestamp());
        _wake();
    }

    /// <summary>Looks wherever there is a reason to.</summary>
    /// <returns>How the sources look now; null if the project's folder is gone.</returns>
    public SourceSnapshot? Look()
    {
        SayWhetherGone(!_tree.Exists);
        if (_gone)
        {
            return null;
        }

        var order = _orders.Take();
        if (order.Folders || ((order.All || order.Polled) && _folders.HasOtherMounts))
        {
            ListFolders();
            WatchFolders();
            order = order with { All = true };
        }

        _latest = _latest.Reread([.. order.Files.Where(_latest.Contains)], _clock.GetUtcNow());
        if (order.All || order.Files.Any(file => !_latest.Contains(file)))
        {
            _latest = Sweep(_folders.Folders.All, isEvidence: order.IsSweep && _mode == WatchMode.Auto);
        }
        else if (order.Polled && _folders.Polled.Count > 0)
        {
            _latest = Sweep(_folders.Polled, isEvidence: false);
        }

        return _latest;
    }

    public void Dispose()
    {
        _timer.Dispose();
        _folders.Dispose();
    }

    private SourceSnapshot Sweep(IReadOnlyCollection<SourceFolder> folders, bool isEvidence)
    {
        var began = _clock.GetTimestamp();
        var swept = _sweep.Look(_latest, folders, _clock.GetUtcNow());
        var isOfAll = folders == _folders.Folders.All;
        _timer.Swept(began, isOfAll);
        if (isOfAll)
        {
            SayUnreadable();
        }

        // Of a folder that came or went as a whole, or of a link, its own folder's events needn't tell.
        var found = swept.ChangesSince(_latest);
        var withFolder = found.Where(IsOfNoFolder).ToHashSet();
        if (_sweep.HasMetNewFolder || withFolder.Count > 0)
        {
            _orders.LookAtAll(andAtFolders: true);
            _wake();
        }

        if (isEvidence)
        {
            Judge(found.Except(withFolder).Select(change => change.Path).Where(path => !swept.IsLink(path)));
        }

        return swept;
    }

    /// <summary>Whether a folder has come or gone with the file.</summary>
    private bool IsOfNoFolder(SourceChange change) => change.Kind switch
    {
        ChangeKind.Added => !_folders.Folders.TryFindOwner(change.Path, out _),
        ChangeKind.Deleted => !Directory.Exists(Path.GetDirectoryName(change.Path)),
        _ => false,
    };

    private void Judge(IEnumerable<string> found)
    {
        foreach (var path in found.Where(_folders.IsWatched))
        {
            _missed.Found(path);
        }

        foreach (var path in _missed.TakeMissed())
        {
            _folders.Convict(path);
        }

        _timer.Run(hasPolled: _folders.Polled.Count > 0);
    }

    private void ListFolders()
    {
        _folders.List(_tree);
        _sweep = new SourceSweep(_tree, _folders.Folders);
    }

    private void WatchFolders()
    {
        foreach (var folder in _folders.Watch())
        {
            // What happened there until now is no evidence.
            _missed.Heard(folder);
        }

        _timer.Run(hasPolled: _folders.Polled.Count > 0);
    }

    private void SayWhetherGone(bool gone)
    {
        if (gone != _gone)
        {
            _gone = gone;
            _console.Say(gone
                ? $"{_tree.ProjectDirectory} is gone; the last good version keeps serving until the folder is back"
                : $"{_tree.ProjectDirectory} is back");
            _folders.Forget();
            _orders.LookAtAll(andAtFolders: true);
        }
    }

    private void SayUnreadable()
    {
        var now = _sweep.Unreadable.ToDictionary(folder => folder.Path);
        foreach (var path in now.Keys.Where(_unreadable.Add))
        {
            _console.Say($"{path} can't be read ({now[path].Reason}); what was in it counts as unchanged until it can");
        }

        foreach (var path in _unreadable.Where(path => !now.ContainsKey(path)).ToArray())
        {
            _unreadable.Remove(path);
            if (Directory.Exists(path))
            {
                _console.Say($"{path} can be read again");
            }

            _folders.TryAgain();
            _orders.LookAtAll(andAtFolders: true);
        }
    }

    private void OnFileEvent(string path)
    {
        // The rest of a project folder may be busy all day: a database, logs, an editor's swap files.
        if (_tree.MayBeInput(path))
        {
            _missed.Heard(path);
            _orders.LookAt(path);
            Note();
        }
        else if (_latest.HasFilesBelow(path) && !Directory.Exists(path))
        {
            OnFolderEvent(path);
        }
        else if (Path.GetFileName(path) == _trigger?.Name)
        {
            Note();
        }
    }

    private void OnFolderEvent(string path)
    {
        _missed.Heard(path);
        _orders.LookAtAll(andAtFolders: true);
        Note();
    }
}
