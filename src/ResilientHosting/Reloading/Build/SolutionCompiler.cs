using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace ResilientHosting.Reloading;

/// <summary>
/// Compiles what an edit has changed: the projects whose files it touched, and those that see a changed public surface of another.
/// An edit inside a library's methods leaves every project that refers to it as it is.
/// </summary>
[RequiresUnreferencedCode("Loads the SDK's compiler.")]
[RequiresDynamicCode("Loads the SDK's compiler.")]
internal sealed class SolutionCompiler
{
    private readonly IReadOnlyList<OpenProject> _projects;
    private readonly SolutionProject _application;
    private readonly ProgramImage _built;
    private readonly HashSet<string> _unfaithful;

    private SolutionCompiler(
        IReadOnlyList<OpenProject> projects, SolutionProject application, ProgramImage built, HashSet<string> unfaithful)
    {
        _projects = projects;
        _application = application;
        _built = built;
        _unfaithful = unfaithful;
        Opening = Compile([], whole: false, default);
    }

    /// <summary>Gets what the first compilation said.</summary>
    public BuildResult Opening { get; }

    /// <summary>Gets the sources of the projects that are compiled here. All others are left to the SDK's build.</summary>
    public IReadOnlyCollection<ProjectSources> Compiles => [.. _projects.Select(project => project.Sources)];

    /// <summary>Opens the C# projects of the graph. The compiler is warmed up on the way, so this takes a second or more.</summary>
    /// <param name="roslyn">The compiler.</param>
    /// <param name="graph">The projects.</param>
    /// <param name="built">The program as it was built last; what can't be compiled here is taken from there.</param>
    /// <param name="earlier">What was open so far; projects for which nothing but sources has changed stay open.</param>
    /// <param name="say">Told of each project that comes out differently here than from the build; it is left to the build.</param>
    /// <exception cref="InvalidOperationException">The SDK's compiler, or a source generator of a project, can't be loaded.</exception>
    public static SolutionCompiler Open(
        RoslynLoadContext roslyn, ProjectGraph graph, ProgramImage built, SolutionCompiler? earlier, Action<string> say)
    {
        var unfaithful = earlier?._unfaithful ?? [];
        while (true)
        {
            var projects = FindCompilable(graph, built, unfaithful).Select(project => Open(roslyn, graph, project, earlier));
            var solution = new SolutionCompiler([.. projects], graph.Application, built, unfaithful);
            var differing = solution.FindUnfaithful().ToArray();
            if (differing.Length == 0)
            {
                return solution;
            }

            foreach (var (project, difference) in differing)
            {
                say($"{Path.GetFileName(project.ProjectPath)} compiled in this process is not what the build makes of it ({difference}), "
                    + "so its edits, and those of what it refers to, are real builds");
                unfaithful.Add(project.ProjectPath);
            }

            earlier = solution;
        }
    }

    /// <summary>Compiles the solution as it is now; the files are those edited, added or deleted since the last call. Calls must not overlap.</summary>
    public BuildResult Compile(IReadOnlyCollection<string> changedFiles, CancellationToken cancellationToken) =>
        Compile(changedFiles, whole: false, cancellationToken);

    /// <summary>Compiles the solution as it was at the last call, in whole images rather than deltas.</summary>
    public BuildResult CompileWhole(CancellationToken cancellationToken) => Compile([], whole: true, cancellationToken);

    /// <summary>
    /// A project is compiled here if it is written in C#, part of the program, and if so is everything that refers to it: what a
    /// generator or a library in another language makes of its changes only a real build can tell.
    /// </summary>
    private static List<SolutionProject> FindCompilable(ProjectGraph graph, ProgramImage built, HashSet<string> unfaithful)
    {
        var compilable = new List<SolutionProject>();
        foreach (var project in graph.Projects.Reverse())
        {
            if (project.CommandLine is not null
                && !unfaithful.Contains(project.ProjectPath)
                && (project == graph.Application || built.Libraries.ContainsKey(project.AssemblyName))
                && graph.Projects.Where(other => other.References.Contains(project.ProjectPath)).All(compilable.Contains))
            {
                compilable.Add(project);
            }
        }

        compilable.Reverse();
        return compilable;
    }

    private static OpenProject Open(RoslynLoadContext roslyn, ProjectGraph graph, SolutionProject project, SolutionCompiler? earlier)
    {
        var fingerprint = project.CommandLine!.Fingerprint;
        var isReferenced = graph.Projects.Any(other => other.References.Contains(project.ProjectPath));
        if (earlier?._projects.FirstOrDefault(open => open.IsStill(project, fingerprint, isReferenced)) is { } still)
        {
            return still.With(project);
        }

        var solutionBuilds = graph.Projects.SelectMany(other => other.ReferencedAs).ToHashSet();
        var ownGenerators = project.CommandLine.Analyzers.Where(solutionBuilds.Contains);
        return new OpenProject(
            project, SdkCompiler.Open(roslyn, project.CommandLine, isReferenced, ownGenerators), fingerprint, isReferenced);
    }

    /// <summary>Finds the projects whose first image differs from the one that a build has made of the same sources.</summary>
    private IEnumerable<(SolutionProject Project, string Difference)> FindUnfaithful()
    {
        foreach (var project in _projects.Where(project => project.IsNew && project.Image is not null))
        {
            var built = project.Description == _application ? _built.Application : _built.Libraries[project.Description.AssemblyName];
            if (project.Sources.Enumerate().All(source => File.GetLastWriteTimeUtc(source) < built.Written)
                && ImageComparison.FindDifference(project.Image!.Image, built.Image) is { } difference)
            {
                yield return (project.Description, difference);
            }
        }
    }

    private BuildResult Compile(IReadOnlyCollection<string> changedFiles, bool whole, CancellationToken cancellationToken)
    {
        foreach (var project in _projects)
        {
            project.Pending.UnionWith(changedFiles.Where(project.Sources.Owns));
        }

        var diagnostics = new List<BuildDiagnostic>();
        var broken = new HashSet<string>();
        foreach (var project in _projects)
        {
            // Errors of a project say enough; those of its dependents would only repeat them.
            if (project.Description.References.Any(broken.Contains))
            {
                broken.Add(project.Description.ProjectPath);
            }
            else if (Compile(project, whole, cancellationToken) is { } build)
            {
                diagnostics.AddRange(_projects.Count == 1
                    ? build.Diagnostics
                    : build.Diagnostics.Select(diagnostic => diagnostic with { Project = project.Description.ProjectPath }));
                if (project.Image is null)
                {
                    broken.Add(project.Description.ProjectPath);
                }
            }
        }

        return new BuildResult(broken.Count > 0 ? null : CurrentProgram(), diagnostics);
    }

    private ProjectBuild? Compile(OpenProject project, bool whole, CancellationToken cancellationToken)
    {
        if (project.Image is not null && project.Pending.Count == 0 && project.PendingReferences.Count == 0 && !(whole && project.Image.Delta is not null))
        {
            return null;
        }

        var build = project.Compiler.Compile(project.Pending, project.PendingReferences, whole, cancellationToken);
        project.Pending.Clear();
        project.PendingReferences.Clear();
        project.Image = build.IsUnchanged ? project.LastGood : build.Image;
        project.LastGood = project.Image ?? project.LastGood;
        if (build.ChangedReference is { } reference)
        {
            foreach (var dependent in _projects)
            {
                foreach (var path in project.Description.ReferencedAs.Where(dependent.RefersTo))
                {
                    dependent.Refer(path, reference);
                }
            }
        }

        return build;
    }

    private ProgramImage CurrentProgram()
    {
        var program = _built;
        var libraries = _built.Libraries.ToImmutableDictionary();
        foreach (var project in _projects)
        {
            if (project.Description == _application)
            {
                program = program with { Application = project.Image! };
            }
            else
            {
                libraries = libraries.SetItem(project.Description.AssemblyName, project.Image!);
            }
        }

        return program with { Libraries = libraries };
    }

    private sealed class OpenProject(SolutionProject description, SdkCompiler compiler, string fingerprint, bool isReferenced)
    {
        private readonly HashSet<string> _references = [.. description.CommandLine!.References];
        private bool _refersToMemory;

        public SolutionProject Description => description;

        public ProjectSources Sources { get; } = new(description);

        public SdkCompiler Compiler => compiler;

        /// <summary>Gets the files that the compiler has not been told of yet.</summary>
        public HashSet<string> Pending { get; } = [];

        /// <summary>Gets the reference assemblies that the compiler has not been told of yet.</summary>
        public Dictionary<string, byte[]> PendingReferences { get; } = [];

        /// <summary>Gets or sets the latest image; null before the first compilation and after one with errors.</summary>
        public AssemblyImage? Image { get; set; }

        /// <summary>Gets or sets the image of the latest compilation without errors.</summary>
        public AssemblyImage? LastGood { get; set; }

        /// <summary>Gets a value indicating whether it was opened just now.</summary>
        public bool IsNew { get; init; } = true;

        public bool RefersTo(string path) => _references.Contains(path);

        public void Refer(string path, byte[] reference)
        {
            PendingReferences[path] = reference;
            _refersToMemory = true;
        }

        /// <summary>Whether its compiler would do for the project as it is now.</summary>
        public bool IsStill(SolutionProject project, string newFingerprint, bool newlyReferenced) =>
            description.ProjectPath == project.ProjectPath && fingerprint == newFingerprint && isReferenced == newlyReferenced && !_refersToMemory;

        public OpenProject With(SolutionProject newer)
        {
            var project = new OpenProject(newer, compiler, fingerprint, isReferenced) { Image = Image, LastGood = LastGood, IsNew = false };
            project.Pending.UnionWith(Pending);
            return project;
        }
    }
}
