namespace ResilientHosting.Reloading;

/// <summary>The files of a solution that a reload may depend on: the inputs of the application's project and of those it refers to.</summary>
internal sealed class SourceTree
{
    private static readonly EnumerationOptions Files = new() { IgnoreInaccessible = true, AttributesToSkip = 0 };

    // A linked folder may lead back to where it is. Sources that MSBuild found behind a link are in the list it gave.
    private static readonly EnumerationOptions Directories = new() { IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };

    private readonly IReadOnlyList<ProjectSources> _projects;

    /// <summary>What there is to know before MSBuild has answered.</summary>
    public SourceTree(string projectDirectory) => _projects = [new ProjectSources(projectDirectory)];

    public SourceTree(ProjectGraph graph) => _projects = [.. graph.Projects.Select(project => new ProjectSources(project))];

    /// <summary>Gets the folder of the application's own project.</summary>
    public string ProjectDirectory => _projects[^1].Directory;

    public bool Exists => Directory.Exists(ProjectDirectory);

    /// <summary>The inputs that exist now.</summary>
    public IEnumerable<string> Enumerate() => _projects.Count == 1
        ? _projects[0].Enumerate()
        : _projects.SelectMany(project => project.Enumerate()).Distinct();

    /// <summary>Whether a file in one of the folders to watch is an input, or would be if it existed. Never changes for a path.</summary>
    public bool Takes(string path) => _projects.Any(project => project.Takes(path));

    /// <summary>The folders to watch: each project's own, and each top-level one below it that can hold inputs.</summary>
    public IEnumerable<(string Path, bool Recursive)> WatchRoots() =>
        _projects.SelectMany(WatchRoots).DistinctBy(root => root.Path);

    /// <summary>The inputs that another, earlier view of the same solution did not have in sight.</summary>
    public IEnumerable<string> EnumerateBeyond(SourceTree earlier) => Enumerate().Except(earlier.Enumerate());

    /// <summary>Whether an event about this path may tell of a changed input.</summary>
    public bool MayBeInput(string path) =>
        InputFile.KindOf(path) != InputKind.Other || _projects.Any(project => project.Lists(path));

    public static bool IsUnder(string directory, string path) =>
        path.StartsWith(Path.TrimEndingDirectorySeparator(directory) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>The files that the SDK's default rules would take from a folder.</summary>
    public static IEnumerable<string> EnumerateInputs(string directory) => Directory.Exists(directory)
        ? Directory.EnumerateFiles(directory, "*", Files).Where(path => InputFile.KindOf(path) != InputKind.Other)
            .Concat(Directory.EnumerateDirectories(directory, "*", Directories).Where(path => HoldsInputs(path)).SelectMany(EnumerateInputs))
        : [];

    private static IEnumerable<(string Path, bool Recursive)> WatchRoots(ProjectSources project)
    {
        if (!Directory.Exists(project.Directory))
        {
            yield break;
        }

        yield return (project.Directory, false);
        foreach (var directory in Directory.EnumerateDirectories(project.Directory, "*", Directories).Where(path => HoldsInputs(path)))
        {
            yield return (directory, true);
        }

        foreach (var linked in project.LinkedFiles().Select(Path.GetDirectoryName).Distinct())
        {
            if (Directory.Exists(linked))
            {
                yield return (linked, false);
            }
        }
    }

    public static bool HoldsInputs(ReadOnlySpan<char> directory)
    {
        var name = Path.GetFileName(directory);
        return name is not ("bin" or "obj" or "node_modules" or "wwwroot") && name[0] != '.';
    }
}
