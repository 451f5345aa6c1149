namespace ResilientHosting.Reloading;

/// <summary>
/// Tells open pages which files of the web roots have changed. Nothing is compiled and nothing restarts: browsers are sent these files as
/// they are. Nothing is watched before the first page is open, and no file is looked at without an event unless its file system lacks them.
/// </summary>
internal sealed class StaticFileWatcher : IDisposable
{
    private readonly Func<IEnumerable<string>> _roots;
    private readonly string _projectDirectory;
    private readonly DevReloaderOptions _options;
    private readonly ReloadStatus _status;
    private readonly TimeProvider _clock;
    private readonly ReloadConsole _console;
    private readonly TouchedFiles _touched;
    private readonly Lock _watching = new();
    private readonly FolderWatch _folders;
    private readonly StaticFileSweep _sweep = new();
    private readonly SweepPace _pace;
    private readonly ITimer _timer;
    private volatile string[] _watched = [];
    private bool _isOutdated;

    /// <param name="roots">Finds the folders, whether or not they exist.</param>
    /// <param name="projectDirectory">From where files are named to the developer.</param>
    /// <param name="options">How changes are noticed.</param>
    /// <param name="status">Knows the pages and tells them.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="console">Tells the developer.</param>
    public StaticFileWatcher(
        Func<IEnumerable<string>> roots, string projectDirectory, DevReloaderOptions options, ReloadStatus status, TimeProvider clock, ReloadConsole console)
    {
        (_roots, _projectDirectory, _options, _status, _clock, _console) = (roots, projectDirectory, options, status, clock, console);
        _touched = new TouchedFiles(clock);
        _folders = new FolderWatch(options, trigger: null, console, _touched.Add, OnFolder);
        _pace = new SweepPace(SweepTimer.IntervalOfPolling(options), rest: 20, clock);
        _timer = clock.CreateTimer(static watcher => ((StaticFileWatcher)watcher!).OnTick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        status.Pages.Opened += Watch;
    }

    /// <summary>Tells until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var changed = await _touched.TakeAsync(_options.QuietPeriod, cancellationToken).ConfigureAwait(false);
                await _status.WaitForAsync(static now => !now.IsPaused, cancellationToken).ConfigureAwait(false);
                Tell(changed);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The process ends.
        }
#pragma warning disable CA1031 // Style sheets that are no longer replaced are no reason to stop reloading, but one to say so.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _console.Show(e);
            _console.Say("static files are no longer watched, because of an unexpected error");
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        _status.Pages.Opened -= Watch;
        _timer.Dispose();
        _folders.Dispose();
    }

    private void Tell(List<string> changed)
    {
        if (changed.Count == 0)
        {
            return;
        }

        _status.ReportFiles([.. changed.Select(NameInRoot)]);
        if (_status.Pages.Count is > 0 and var pages)
        {
            var changes = new ChangeSet([.. changed.Select(path => new SourceChange(path, ChangeKind.Edited))], null);
            _console.Say($"{changes.Describe(_projectDirectory)} -> {pages} open {(pages == 1 ? "page" : "pages")}");
        }
    }

    /// <summary>The end of the address under which browsers know a file, whatever stands before it.</summary>
    private string NameInRoot(string path)
    {
        var root = Array.Find(_watched, root => SourceTree.IsUnder(root, path)) ?? Path.GetDirectoryName(path)!;
        return Path.GetRelativePath(root, path).Replace('\\', '/');
    }

    /// <summary>Done before a page is told anything: what is saved from then on is seen.</summary>
    private void Watch()
    {
        // What watches outlives the generation to whose server the page has connected, and must not keep what flows with its requests.
        using (ExecutionContext.SuppressFlow())
        {
            lock (_watching)
            {
                var roots = _roots().Where(Directory.Exists).Distinct().ToArray();
                var isNew = Interlocked.Exchange(ref _isOutdated, false) || !roots.SequenceEqual(_watched);
                if (isNew)
                {
                    _watched = roots;
                    WatchFolders(roots);
                }

                Sweep(isDue: isNew || _pace.IsDue);
            }
        }
    }

    private void WatchFolders(string[] roots)
    {
        try
        {
            _folders.List(() => Cover(roots));
            _folders.Watch();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A folder went away at this moment. The next page finds the rest.
            _isOutdated = true;
        }
    }

    private static SourceFolders Cover(string[] roots)
    {
        var folders = new SourceFolders();
        foreach (var root in roots)
        {
            FolderCover.Add(root, folders);
        }

        return folders;
    }

    private void OnTick()
    {
        lock (_watching)
        {
            Sweep(_pace.IsDue);
        }
    }

    /// <summary>Goes on for as long as there is a page in sight.</summary>
    private void Sweep(bool isDue)
    {
        if (_folders.Polled.Count == 0 || _status.Pages.Count == 0)
        {
            return;
        }

        if (isDue)
        {
            var began = _clock.GetTimestamp();
            _sweep.Look(_folders.Polled).ForEach(_touched.Add);
            _pace.Swept(began, _clock.GetElapsedTime(began));
        }

        _timer.Change(_pace.Interval, Timeout.InfiniteTimeSpan);
    }

    private void OnFolder(string path)
    {
        _isOutdated = true;
        _touched.AddFolder(path);
    }
}
