namespace ResilientHosting.Reloading;

/// <summary>The folders of which events don't tell everything. They are looked at often; why is told once.</summary>
internal sealed class PolledFolders(WatchMode mode, TimeSpan interval, ReloadConsole console)
{
    private readonly HashSet<string> _convicted = [];
    private readonly List<SourceFolder> _said = [];

    /// <summary>Gets the folders to be looked at often.</summary>
    public IReadOnlyCollection<SourceFolder> All { get; private set; } = [];

    /// <summary>Gets what happens to such a folder, for the console.</summary>
    public string Fate { get; } = FormattableString.Invariant($"looked at every {interval.TotalMilliseconds:0} ms instead");

    /// <summary>Whether it makes sense to listen to the events of a folder.</summary>
    public bool IsWorthWatching(SourceFolder folder)
    {
        if (mode != WatchMode.Auto || FileSystemType.TellsOfEveryChange(folder.FileSystem))
        {
            return mode != WatchMode.Polling;
        }

        if (!_said.Any(said => said.FileSystem == folder.FileSystem && (said.Path == folder.Path || SourceTree.IsUnder(said.Path, folder.Path))))
        {
            _said.Add(folder);
            console.Say($"{folder.Path} is {Fate}: its file system ({folder.FileSystem}) doesn't tell of changes made elsewhere");
        }

        return false;
    }

    /// <summary>A file of the folder has changed and no event told of it.</summary>
    public void Convict(SourceFolder folder, string file)
    {
        if (_convicted.Add(folder.Path))
        {
            console.Say($"{folder.Path} is {Fate}: no event of its file system ({folder.FileSystem}) told that {Path.GetFileName(file)} has changed");
        }
    }

    /// <summary>Why a folder is looked at often.</summary>
    /// <returns>Null if it isn't.</returns>
    public string? WhyPolled(SourceFolder folder, FolderEvents events) => mode switch
    {
        WatchMode.Polling => "asked for (DevReloaderOptions.Watch, or DOTNET_USE_POLLING_FILE_WATCHER)",
        _ when _convicted.Contains(folder.Path) => $"its file system ({folder.FileSystem}) has failed to tell of a change",
        WatchMode.Auto when !FileSystemType.TellsOfEveryChange(folder.FileSystem) =>
            $"its file system ({folder.FileSystem}) doesn't tell of changes made elsewhere",
        _ => events.WhyNot(folder.Path),
    };

    /// <summary>Finds which folders these are now.</summary>
    public void Update(SourceFolders folders, FolderEvents events)
    {
        var polled = folders.All.Where(folder => _convicted.Contains(folder.Path) || !events.Watches(folder.Path)).ToHashSet();
        All = polled.Count == folders.All.Count ? folders.All : polled;
    }
}
