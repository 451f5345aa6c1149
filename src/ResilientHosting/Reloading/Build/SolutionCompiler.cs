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
    private readonly ImmutableDictionary<string, AssemblyImage> _builtElsewhere;

    private SolutionCompiler(IReadOnlyList<OpenProject> projects, ImmutableDictionary<string, AssemblyImage> builtElsewhere)
    {
        _projects = projects;
        _builtElsewhere = builtElsewhere;
    }

    /// <summary>Opens every C# project of the graph. The compiler is warmed up on the way, so this takes a second or more.</summary>
    /// <param name="roslyn">The compiler.</param>
    /// <param name="graph">The projects.</param>
    /// <param name="built">The program as it was built last; what can't be compiled here is taken from there.</param>
    /// <exception cref="InvalidOperationException">The SDK's compiler, or a source generator of a project, can't be loaded.</exception>
    public static SolutionCompiler Open(RoslynLoadContext roslyn, ProjectGraph graph, ProgramImage built)
    {
        var referenced = graph.Projects.SelectMany(project => project.References).ToHashSet();
        var projects = graph.Projects
            .Where(project => project.CommandLine is not null && (project == graph.Application || built.Libraries.ContainsKey(project.AssemblyName)))
            .Select(project => new OpenProject(
                project,
                new ProjectSources(project.CommandLine!),
                SdkCompiler.Open(roslyn, project.CommandLine!, referenced.Contains(project.ProjectPath))))
            .ToArray();
        var solution = new SolutionCompiler(
            projects,
            built.Libraries.Where(library => projects.All(project => project.Description.AssemblyName != library.Key)).ToImmutableDictionary());
        solution.Compile([], whole: false, default);
        return solution;
    }

    /// <summary>Compiles the solution as it is now; the files are those edited, added or deleted since the last call. Calls must not overlap.</summary>
    public BuildResult Compile(IReadOnlyCollection<string> changedFiles, CancellationToken cancellationToken) =>
        Compile(changedFiles, whole: false, cancellationToken);

    /// <summary>Compiles the solution as it was at the last call, in whole images rather than deltas.</summary>
    public BuildResult CompileWhole(CancellationToken cancellationToken) => Compile([], whole: true, cancellationToken);

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
                diagnostics.AddRange(build.Diagnostics);
                if (build.Image is null)
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
        project.Image = build.Image;
        if (build.ChangedReference is { } reference)
        {
            foreach (var dependent in _projects)
            {
                foreach (var path in project.Description.ReferencedAs.Where(dependent.RefersTo))
                {
                    dependent.PendingReferences[path] = reference;
                }
            }
        }

        return build;
    }

    private ProgramImage CurrentProgram() => new(
        _projects[^1].Image!,
        _builtElsewhere.AddRange(_projects.SkipLast(1).Select(project => KeyValuePair.Create(project.Description.AssemblyName, project.Image!))));

    private sealed class OpenProject(SolutionProject description, ProjectSources sources, SdkCompiler compiler)
    {
        private readonly HashSet<string> _references =
        [
            .. description.CommandLine!.Arguments
                .Where(argument => argument.StartsWith("/reference:", StringComparison.Ordinal))
                .Select(argument => argument["/reference:".Length..].Trim('"')),
        ];

        public SolutionProject Description => description;

        public ProjectSources Sources => sources;

        public SdkCompiler Compiler => compiler;

        /// <summary>Gets the files that the compiler has not been told of yet.</summary>
        public HashSet<string> Pending { get; } = [];

        /// <summary>Gets the reference assemblies that the compiler has not been told of yet.</summary>
        public Dictionary<string, byte[]> PendingReferences { get; } = [];

        /// <summary>Gets or sets the latest image; null before the first compilation and after one with errors.</summary>
        public AssemblyImage? Image { get; set; }

        public bool RefersTo(string path) => _references.Contains(path);
    }
}
