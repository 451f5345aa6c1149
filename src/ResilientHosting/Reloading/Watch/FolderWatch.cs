namespace ResilientHosting.Reloading;

/// <summary>Knows the folders of the sources: which of them are watched by events, and which have to be looked at often.</summary>
internal sealed class FolderWatch : IDisposable
{
    private readonly WatchMode _mode;
    private readonly TriggerFile? _trigger;
    private readonly FolderEvents _events;
    private readonly PolledFolders _polled;
    private string[] _mounts = [];
    private volatile IReadOnlyList<WatchedRoot> _roots = [];

    public FolderWatch(DevReloaderOptions options, TriggerFile? trigger, ReloadConsole console, Action<string> onFile, Action<string> onFolder)
    {
        (_mode, _trigger) = (options.Watch, trigger);
        _polled = new PolledFolders(_mode, SweepTimer.IntervalOfPolling(options), console);
        _events = new FolderEvents(console, _polled.Fate, onFile, onFolder);
    }

    /// <summary>Gets the folders as they were when they were last listed.</summary>
    public SourceFolders Folders { get; private set; } = SourceFolders.None;

    /// <summary>Gets those to be looked at often.</summary>
    public IReadOnlyCollection<SourceFolder> Polled => _polled.All;

    /// <summary>Gets how everything is watched. May be asked for at any time, by anybody.</summary>
    public IReadOnlyList<WatchedRoot> Roots => _roots;

    /// <summary>Gets a value indicating whether a file system was mounted or unmounted, wherever, since the folders were listed.</summary>
    public bool HasOtherMounts => !MountPoints.All().SequenceEqual(_mounts);

    /// <summary>Finds out which folders there are.</summary>
    public void List(SourceTree tree) => List(tree.Folders);

    /// <summary>Finds out which folders there are.</summary>
    public void List(Func<SourceFolders> find)
    {
        _mounts = MountPoints.All();
        Folders = find();
    }

    /// <summary>Watches the folders as they were listed.</summary>
    /// <returns>Those that were not watched so far.</returns>
    public IReadOnlyList<string> Watch()
    {
        var folders = Folders.All.Where(_polled.IsWorthWatching).ToDictionary(folder => folder.Path, folder => folder.Extent == FolderExtent.Tree);
        if (_mode != WatchMode.Polling && Directory.Exists(_trigger?.Directory))
        {
            folders.TryAdd(_trigger.Directory, false);
        }

        var added = _events.Watch(folders);
        Update();
        return added;
    }

    /// <summary>Whether events are expected to tell of a change to a file.</summary>
    public bool IsWatched(string file) => Folders.TryFindOwner(file, out var folder) && _events.Watches(folder.Path);

    /// <summary>No event told of a change to a file.</summary>
    public void Convict(string file)
    {
        if (Folders.TryFindOwner(file, out var folder))
        {
            _polled.Convict(folder, file);
            Update();
        }
    }

    /// <summary>What was watched is gone for good, even if it comes back.</summary>
    public void Forget()
    {
        _events.Clear();
        _events.TryAgain();
    }

    /// <summary>What could not be watched may be possible now.</summary>
    public void TryAgain() => _events.TryAgain();

    public void Dispose() => _events.Dispose();

    private void Update()
    {
        _polled.Update(Folders, _events);
        _roots = WatchedRoot.Sum(Folders.All.Select(folder => (folder, _polled.WhyPolled(folder, _events))));
    }
}
