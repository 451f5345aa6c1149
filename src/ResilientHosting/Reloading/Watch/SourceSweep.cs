namespace ResilientHosting.Reloading;

/// <summary>A look at all inputs, cheap enough to be taken every second.</summary>
internal sealed class SourceSweep
{
    private readonly SourceTree _tree;
    private readonly SourceFolders _folders;

    // Inputs that the listings don't show: by their name they could be anything, or they are somewhere else, or not there yet.
    private readonly string[] _unlisted;

    // Asking the rules of a project costs more than looking at the file, and they don't change.
    private readonly HashSet<string> _noInputs = [];

    private (SourceSnapshot Of, IReadOnlyCollection<SourceFolder> In, int Count) _expected = (SourceSnapshot.Empty, [], 0);

    public SourceSweep(SourceTree tree, SourceFolders folders)
    {
        (_tree, _folders) = (tree, folders);
        _unlisted = [.. tree.Listed().Where(path => !IsInListing(path))];
    }

    /// <summary>Gets a value indicating whether the last sweep has met a folder that was not there when the folders were listed.</summary>
    public bool HasMetNewFolder { get; private set; }

    /// <summary>Gets the folders that hid files from the last sweep.</summary>
    public IReadOnlyCollection<UnreadableFolder> Unreadable { get; private set; } = [];

    /// <summary>Looks at the files of these folders, and reads those whose time stamp or size is another than at the earlier look.</summary>
    public SourceSnapshot Look(SourceSnapshot latest, IReadOnlyCollection<SourceFolder> folders, DateTimeOffset now)
    {
        HasMetNewFolder = false;
        var seen = 0;
        var suspects = new List<string>();
        foreach (var folder in folders)
        {
            SourceListing.ForEach(folder, OnFile, path => HasMetNewFolder |= folder.Extent != FolderExtent.ListedFiles && !_folders.Knows(path));
        }

        foreach (var path in _unlisted)
        {
            if (FileStat.Of(path) is { } stat)
            {
                OnFile(path, stat);
            }
        }

        Unreadable = seen < CountExpected(latest, folders) ? FindMissing(latest, folders, suspects) : [];
        return latest.Reread(suspects, now);

        void OnFile(ReadOnlySpan<char> path, FileStat stat)
        {
            if (latest.TryCompare(path, stat, out var isSame))
            {
                seen++;
            }
            else
            {
                isSame = IsNoInput(path);
            }

            if (!isSame)
            {
                suspects.Add(path.ToString());
            }
        }
    }

    private HashSet<UnreadableFolder> FindMissing(
        SourceSnapshot latest, IReadOnlyCollection<SourceFolder> folders, List<string> suspects)
    {
        var unreadable = new HashSet<UnreadableFolder>();
        foreach (var path in latest.Paths.Where(path => IsIn(folders, path)))
        {
            if (FileStat.Of(path) is { } stat)
            {
                // In a folder that may be entered but not listed.
                latest.TryCompare(path, stat, out var isSame);
                if (!isSame)
                {
                    suspects.Add(path);
                }
            }
            else if (UnreadableFolder.Above(path) is not { } folder)
            {
                suspects.Add(path);
            }
            else if (FileStat.Of(path) is null)
            {
                unreadable.Add(folder);
            }
        }

        return unreadable;
    }

    private int CountExpected(SourceSnapshot latest, IReadOnlyCollection<SourceFolder> folders)
    {
        if (!ReferenceEquals(_expected.Of, latest) || !ReferenceEquals(_expected.In, folders))
        {
            _expected = (latest, folders, latest.Paths.Count(path => IsIn(folders, path)));
        }

        return _expected.Count;
    }

    private bool IsIn(IReadOnlyCollection<SourceFolder> folders, string path) =>
        ReferenceEquals(folders, _folders.All) || !_folders.TryFindOwner(path, out var owner) || folders.Contains(owner);

    private bool IsInListing(string path) =>
        InputFile.KindOf(path) != InputKind.Other
        && _folders.TryFindOwner(path, out var owner)
        && SourceTree.IsInSight(owner.Path, path);

    private bool IsNoInput(ReadOnlySpan<char> path)
    {
        if (_noInputs.GetAlternateLookup<ReadOnlySpan<char>>().Contains(path))
        {
            return true;
        }

        var name = path.ToString();
        return !_tree.Takes(name) && _noInputs.Add(name);
    }
}
