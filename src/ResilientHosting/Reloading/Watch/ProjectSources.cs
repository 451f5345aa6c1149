using Microsoft.Extensions.Configuration.UserSecrets;
using Microsoft.Extensions.FileSystemGlobbing;

namespace ResilientHosting.Reloading;

/// <summary>
/// Which files are inputs of one project, now and when new ones appear. Before MSBuild has answered it goes by the SDK's default
/// rules, so that an edit made right after the start is not lost.
/// </summary>
internal sealed class ProjectSources
{
    private readonly HashSet<string> _compiled = [];
    private readonly HashSet<string> _listed = [];
    private readonly HashSet<string> _inherited;
    private readonly HashSet<string> _leftOut = [];
    private readonly HashSet<string> _unwatched = [];
    private readonly InputKind _language = InputKind.Source;
    private readonly Matcher? _excluded;

    public ProjectSources(string directory)
    {
        Directory = directory;
        _inherited = [.. InheritedFiles()];
        _listed.UnionWith(_inherited);
    }

    public ProjectSources(SolutionProject project)
        : this(project.Directory)
    {
        if (project.CommandLine is { } commandLine)
        {
            _excluded = new Matcher();
            _excluded.AddIncludePatterns(commandLine.DefaultExcludes);
            _compiled.UnionWith(commandLine.SourceFiles.Where(path => !SourceTree.IsUnder(commandLine.IntermediateDirectory, path)));
        }
        else
        {
            _language = InputKind.ForeignSource;
            _compiled.UnionWith(project.Sources.Where(path => !path.Contains(ObjectFolder, StringComparison.Ordinal)));
        }

        _unwatched.UnionWith(project.Unwatched);
        _listed.UnionWith(_compiled);
        _listed.UnionWith(project.BuildInputs.Where(path => !path.Contains(ObjectFolder, StringComparison.Ordinal)));
        _listed.UnionWith(project.BuildFiles);
        if (project.UserSecretsId.Length > 0)
        {
            _listed.Add(PathHelper.GetSecretsPathFromSecretsId(project.UserSecretsId));
        }

        // A source file that exists and is not compiled was left out on purpose (<Compile Remove>).
        _leftOut.UnionWith(EnumerateDefault().Where(path => InputFile.KindOf(path) == _language && !_compiled.Contains(path)));
    }

    public string Directory { get; }

    private static string ObjectFolder => $"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}";

    /// <summary>The inputs that exist now: those MSBuild named, and new ones its default rules would take.</summary>
    public IEnumerable<string> Enumerate() => _listed.Union(EnumerateDefault().Where(IsInput))
        .Where(path => !_unwatched.Contains(path) && (!_inherited.Contains(path) || File.Exists(path)));

    /// <summary>Whether a file is compiled by this project, was until it was deleted, or would be if it were there.</summary>
    public bool Owns(string path) => _compiled.Contains(path)
        || (InputFile.KindOf(path) == _language && SourceTree.IsUnder(Directory, path) && IsNewSource(path));

    /// <summary>Whether a file in one of the folders to watch is an input, or would be if it existed. Never changes for a path.</summary>
    public bool Takes(string path) =>
        !_unwatched.Contains(path)
        && (_listed.Contains(path) || (SourceTree.IsUnder(Directory, path) && SourceTree.IsInSight(Directory, path) && IsInput(path)));

    /// <summary>Whether MSBuild, or the user, named the file.</summary>
    public bool Lists(string path) => _listed.Contains(path);

    /// <summary>The files that MSBuild, or the user, named, and those that would be inherited if they were there.</summary>
    public IEnumerable<string> Listed() => _listed.Where(path => !_unwatched.Contains(path));

    /// <summary>The inputs that live outside the project's folder.</summary>
    public IEnumerable<string> LinkedFiles() =>
        _listed.Where(path => !SourceTree.IsUnder(Directory, path) && (!_inherited.Contains(path) || File.Exists(path)));

    private IEnumerable<string> EnumerateDefault() => SourceTree.EnumerateInputs(Directory);

    private bool IsInput(string path) => InputFile.KindOf(path) switch
    {
        InputKind.Source or InputKind.ForeignSource => _excluded is null || Owns(path),
        _ => _excluded?.Match(Directory, path).HasMatches != true,
    };

    private bool IsNewSource(string path)
    {
        if (_leftOut.Contains(path) || _excluded?.Match(Directory, path).HasMatches == true)
        {
            return false;
        }

        // A new file beside files that were all left out belongs to the same <Compile Remove> pattern.
        var directory = Path.GetDirectoryName(path);
        return !_leftOut.Any(other => Path.GetDirectoryName(other) == directory)
            || _compiled.Any(other => Path.GetDirectoryName(other) == directory);
    }

    /// <summary>The places above the project's folder where it may inherit from, whether or not something is there now.</summary>
    private IEnumerable<string> InheritedFiles()
    {
        var folders = new List<string>();
        for (var folder = new DirectoryInfo(Directory); folder.Parent is not null && !IsRepository(folder); folder = folder.Parent)
        {
            folders.Add(folder.Parent.FullName);
        }

        // Without a repository nobody says where the solution ends; one folder up is where it begins as a rule.
        return (folders.Count > 0 && IsRepository(new DirectoryInfo(folders[^1])) ? folders : folders.Take(1))
            .SelectMany(folder => InputFile.Inherited.Select(name => Path.Combine(folder, name)));
    }

    private static bool IsRepository(DirectoryInfo folder) => Path.Exists(Path.Combine(folder.FullName, ".git"));
}
