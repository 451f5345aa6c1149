namespace ResilientHosting.Reloading;

/// <summary>The files of a solution that a reload may depend on: the inputs of the application's project and of those it refers to.</summary>
internal sealed class SourceTree
{
    private readonly IReadOnlyList<ProjectSources> _projects;

    /// <summary>What there is to know before MSBuild has answered.</summary>
    public SourceTree(string projectDirectory) => _projects = [new ProjectSources(projectDirectory)];

    public SourceTree(ProjectGraph graph) => _projects = [.. graph.Projects.Select(project => new ProjectSources(project))];

    /// <summary>Gets the folder of the application's own project.</summary>
    public string ProjectDirectory => _projects[^1].Directory;

    /// <summary>Gets the folders, of the application and of its libraries, whose files browsers are sent as they are.</summary>
    public IEnumerable<string> WebRoots => _projects.Select(project => Path.Combine(project.Directory, "wwwroot"));

    public bool Exists => Directory.Exists(ProjectDirectory);

    /// <summary>The inputs that exist now.</summary>
    public IEnumerable<string> Enumerate() => _projects.SelectMany(project => project.Enumerate()).Distinct();

    /// <summary>Whether a file in one of the folders to watch is an input, or would be if it existed. Never changes for a path.</summary>
    public bool Takes(string path) => _projects.Any(project => project.Takes(path));

    /// <summary>The files that projects name, wherever they are and whether or not they exist.</summary>
    public IEnumerable<string> Listed() => _projects.SelectMany(project => project.Listed()).Distinct();

    /// <summary>Whether a file is below the folder of a project.</summary>
    public bool Holds(string path) => _projects.Any(project => IsUnder(project.Directory, path));

    /// <summary>Finds the folders to watch, as they are now: those of the projects, the application's first, and of files from elsewhere.</summary>
    public SourceFolders Folders()
    {
        var folders = new SourceFolders();
        foreach (var project in _projects.Reverse().Select(project => project.Directory).Where(IsOutermost))
        {
            FolderCover.Add(project, folders);
        }

        foreach (var file in _projects.SelectMany(project => project.LinkedFiles()))
        {
            if (!folders.TryFindOwner(file, out _) && Path.GetDirectoryName(file) is { } folder && Directory.Exists(folder))
            {
                folders.Add(new SourceFolder(folder, FolderExtent.ListedFiles, FileSystemType.Of(folder)));
            }
        }

        return folders;
    }

    /// <summary>Whether an event about this path may tell of a changed input.</summary>
    public bool MayBeInput(string path) =>
        InputFile.KindOf(path) != InputKind.Other || _projects.Any(project => project.Lists(path));

    public static bool IsUnder(string directory, string path) =>
        path.StartsWith(Path.TrimEndingDirectorySeparator(directory) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>Whether the folders between a folder and a file below it are such as hold inputs.</summary>
    public static bool IsInSight(string directory, ReadOnlySpan<char> path)
    {
        for (var folder = Path.GetDirectoryName(path); folder.Length > directory.Length; folder = Path.GetDirectoryName(folder))
        {
            if (!HoldsInputs(folder))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The files that the SDK's default rules would take from a folder. They follow links, but not in circles.</summary>
    public static IEnumerable<string> EnumerateInputs(string directory)
    {
        var folders = new SourceFolders();
        FolderCover.Add(directory, folders);
        var files = new List<string>();
        foreach (var folder in folders.All)
        {
            SourceListing.ForEach(folder, (path, _) => files.Add(path.ToString()), _ => { });
        }

        return files;
    }

    public static bool HoldsInputs(ReadOnlySpan<char> directory)
    {
        var name = Path.GetFileName(directory);
        return name is not ("bin" or "obj" or "node_modules" or "wwwroot") && name[0] != '.';
    }

    /// <summary>Whether a project's folder is not watched with that of another project around it.</summary>
    private bool IsOutermost(string directory) => !_projects.Any(other =>
        IsUnder(other.Directory, directory) && IsInSight(other.Directory, Path.Join(directory, "file")));
}
