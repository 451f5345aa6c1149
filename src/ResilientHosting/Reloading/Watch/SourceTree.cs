using Microsoft.Extensions.FileSystemGlobbing;

namespace ResilientHosting.Reloading;

/// <summary>
/// Which files are inputs of the compilation, now and when new ones appear. Before MSBuild has answered it goes by the SDK's default
/// rules, so that an edit made right after the start is not lost.
/// </summary>
internal sealed class SourceTree
{
    private static readonly EnumerationOptions Files = new() { IgnoreInaccessible = true, AttributesToSkip = 0 };

    // A linked folder may lead back to where it is. Sources that MSBuild found behind a link are in the list it gave.
    private static readonly EnumerationOptions Directories = new() { IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };

    private readonly HashSet<string> _listed = [];
    private readonly HashSet<string> _leftOut = [];
    private readonly Matcher? _excluded;

    public SourceTree(string projectDirectory) => ProjectDirectory = projectDirectory;

    public SourceTree(CompilerCommandLine commandLine)
    {
        ProjectDirectory = commandLine.ProjectDirectory;
        _excluded = CreateMatcher(commandLine.DefaultExcludes);
        _listed.UnionWith(commandLine.SourceFiles.Where(path => !IsUnder(commandLine.IntermediateDirectory, path)));

        // A source file that exists and is not compiled was left out on purpose (<Compile Remove>).
        _leftOut.UnionWith(EnumerateDefault().Where(path => !_listed.Contains(path)));
    }

    public string ProjectDirectory { get; }

    public bool Exists => Directory.Exists(ProjectDirectory);

    /// <summary>The inputs that exist now: those MSBuild named, and new ones its default rules would take.</summary>
    public IEnumerable<string> Enumerate() =>
        _excluded is null ? EnumerateDefault() : _listed.Union(EnumerateDefault().Where(path => _listed.Contains(path) || IsNewInput(path)));

    /// <summary>Whether a source file in one of the folders to watch is an input, or would be if it existed. Never changes for a path.</summary>
    public bool Takes(string path) => _excluded is null || _listed.Contains(path) || IsNewInput(path);

    /// <summary>The folders to watch: the project's own, and each top-level one below it that can hold inputs.</summary>
    public IEnumerable<(string Path, bool Recursive)> WatchRoots()
    {
        yield return (ProjectDirectory, false);
        foreach (var directory in Directory.EnumerateDirectories(ProjectDirectory, "*", Directories).Where(path => HoldsInputs(path)))
        {
            yield return (directory, true);
        }

        foreach (var linked in LinkedFiles().Select(Path.GetDirectoryName).Distinct())
        {
            if (Directory.Exists(linked))
            {
                yield return (linked, false);
            }
        }
    }

    /// <summary>The inputs that live outside the project's folder.</summary>
    public IEnumerable<string> LinkedFiles() => _listed.Where(path => !IsUnder(ProjectDirectory, path));

    private bool IsNewInput(string path)
    {
        if (_leftOut.Contains(path) || _excluded!.Match(ProjectDirectory, path).HasMatches)
        {
            return false;
        }

        // A new file beside files that were all left out belongs to the same <Compile Remove> pattern.
        var directory = Path.GetDirectoryName(path);
        return !_leftOut.Any(other => Path.GetDirectoryName(other) == directory)
            || _listed.Any(other => Path.GetDirectoryName(other) == directory);
    }

    private IEnumerable<string> EnumerateDefault() => Exists ? EnumerateSources(ProjectDirectory) : [];

    private static IEnumerable<string> EnumerateSources(string directory) =>
        Directory.EnumerateFiles(directory, "*", Files).Where(IsSource)
            .Concat(Directory.EnumerateDirectories(directory, "*", Directories).Where(path => HoldsInputs(path)).SelectMany(EnumerateSources));

    public static bool IsSource(string path) => IsSource(path.AsSpan());

    public static bool IsSource(ReadOnlySpan<char> path) =>
        Path.GetExtension(path) is ".cs" or ".razor" or ".cshtml" && Path.GetFileName(path)[0] != '.';

    public static bool HoldsInputs(ReadOnlySpan<char> directory)
    {
        var name = Path.GetFileName(directory);
        return name is not ("bin" or "obj" or "node_modules" or "wwwroot") && name[0] != '.';
    }

    private static Matcher CreateMatcher(IEnumerable<string> patterns)
    {
        var matcher = new Matcher();
        matcher.AddIncludePatterns(patterns);
        return matcher;
    }

    private static bool IsUnder(string directory, string path) =>
        path.StartsWith(Path.TrimEndingDirectorySeparator(directory) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
