using Microsoft.Extensions.FileSystemGlobbing;

namespace ResilientHosting.Reloading;

/// <summary>
/// Which files are inputs of one project's compilation, now and when new ones appear. Before MSBuild has answered it goes by the SDK's
/// default rules, so that an edit made right after the start is not lost.
/// </summary>
internal sealed class ProjectSources
{
    private readonly HashSet<string> _listed = [];
    private readonly HashSet<string> _leftOut = [];
    private readonly Matcher? _excluded;

    public ProjectSources(string directory) => Directory = directory;

    public ProjectSources(CompilerCommandLine commandLine)
    {
        Directory = commandLine.ProjectDirectory;
        _excluded = new Matcher();
        _excluded.AddIncludePatterns(commandLine.DefaultExcludes);
        _listed.UnionWith(commandLine.SourceFiles.Where(path => !SourceTree.IsUnder(commandLine.IntermediateDirectory, path)));

        // A source file that exists and is not compiled was left out on purpose (<Compile Remove>).
        _leftOut.UnionWith(EnumerateDefault().Where(path => !_listed.Contains(path)));
    }

    public string Directory { get; }

    /// <summary>The inputs that exist now: those MSBuild named, and new ones its default rules would take.</summary>
    public IEnumerable<string> Enumerate() =>
        _excluded is null ? EnumerateDefault() : _listed.Union(EnumerateDefault().Where(Owns));

    /// <summary>Whether a file is an input of this project, was one until it was deleted, or would be one if it were there.</summary>
    public bool Owns(string path) => _listed.Contains(path) || (SourceTree.IsUnder(Directory, path) && IsNewInput(path));

    /// <summary>The inputs that live outside the project's folder.</summary>
    public IEnumerable<string> LinkedFiles() => _listed.Where(path => !SourceTree.IsUnder(Directory, path));

    private IEnumerable<string> EnumerateDefault() => SourceTree.EnumerateSources(Directory);

    private bool IsNewInput(string path)
    {
        if (_leftOut.Contains(path) || _excluded!.Match(Directory, path).HasMatches)
        {
            return false;
        }

        // A new file beside files that were all left out belongs to the same <Compile Remove> pattern.
        var directory = Path.GetDirectoryName(path);
        return !_leftOut.Any(other => Path.GetDirectoryName(other) == directory)
            || _listed.Any(other => Path.GetDirectoryName(other) == directory);
    }
}
