namespace ResilientHosting.Reloading;

/// <summary>Collects the static files of which something told that they may have changed, until nothing tells of any more.</summary>
internal sealed class TouchedFiles(TimeProvider clock)
{
    // Browsers load what these become, which is a change of its own.
    private static readonly HashSet<string> NotLoaded = [".map", ".scss", ".sass", ".less", ".ts", ".tsx", ".tmp", ".swp", ".swx"];

    private readonly Lock _lock = new();
    private readonly HashSet<string> _touched = [];
    private readonly HashSet<string> _folders = [];
    private readonly Dictionary<string, FileStat> _taken = [];
    private TaskCompletionSource _any = NewSignal();
    private long _latest;

    public void Add(string path)
    {
        // Names of drafts and backups.
        if (Path.GetFileName(path) is ['.', ..] or [.., '~'] || NotLoaded.Contains(Path.GetExtension(path)))
        {
            return;
        }

        lock (_lock)
        {
            _touched.Add(path);
            Note();
        }
    }

    /// <summary>A folder has come, or so much has happened in it that nobody knows which files it was.</summary>
    public void AddFolder(string path)
    {
        lock (_lock)
        {
            _folders.Add(path);
            Note();
        }
    }

    /// <summary>Waits for a file to be touched, and then until no other is for the quiet period. One may wait at a time.</summary>
    /// <returns>Those that are there, and look otherwise than when they were last taken; and folders.</returns>
    public async Task<List<string>> TakeAsync(TimeSpan quietPeriod, CancellationToken cancellationToken)
    {
        await _any.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        while (QuietFor() is var quietFor && quietFor < quietPeriod)
        {
            await Task.Delay(quietPeriod - quietFor, clock, cancellationToken).ConfigureAwait(false);
        }

        string[] files;
        string[] folders;
        lock (_lock)
        {
            (files, folders) = ([.. _touched], [.. _folders]);
            _touched.Clear();
            _folders.Clear();
            _any = NewSignal();
        }

        return [.. files.Where(IsNews), .. folders.Where(Directory.Exists)];
    }

    private void Note()
    {
        _latest = clock.GetTimestamp();
        _any.TrySetResult();
    }

    private TimeSpan QuietFor()
    {
        lock (_lock)
        {
            return clock.GetElapsedTime(_latest);
        }
    }

    private bool IsNews(string path)
    {
        if (FileStat.Of(path) is not { } stat)
        {
            return false;
        }

        var isNews = !_taken.TryGetValue(path, out var before) || before != stat;
        _taken[path] = stat;
        return isNews;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
