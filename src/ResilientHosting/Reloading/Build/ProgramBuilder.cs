using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;

namespace ResilientHosting.Reloading;

/// <summary>
/// Makes the program that a change asks for, in the cheapest way that is right: as it is, compiled in this process, or built by the
/// SDK. A real build also tells how to compile from then on.
/// </summary>
[RequiresUnreferencedCode("Loads the SDK's compiler.")]
[RequiresDynamicCode("Loads the SDK's compiler.")]
internal sealed class ProgramBuilder(Prerequisites prerequisites, ReloadConsole console)
{
    private readonly BuildFolders _folders = new(Path.GetDirectoryName(prerequisites.ProjectPath)!);
    private readonly ShownWarnings _warnings = new();
    private readonly DeltaHint _hint = new(console);
    private RoslynLoadContext? _roslyn;
    private ProjectGraph? _graph;
    private SolutionCompiler? _compiler;
    private string? _folder;
    private ProgramImage _built = ProjectLibraries.ReadProgram(prerequisites.AssemblyPath);
    private Reaction? _owed;

    /// <summary>Gets the program as the SDK built it last.</summary>
    public ProgramImage Built => _built;

    private string ProjectDirectory => Path.GetDirectoryName(prerequisites.ProjectPath)!;

    /// <summary>Asks MSBuild for the projects and opens the compilers that they need; those that still fit stay open.</summary>
    /// <returns>The files that matter from now on.</returns>
    /// <exception cref="InvalidOperationException">MSBuild can't evaluate a project.</exception>
    public async Task<SourceTree> OpenAsync(CancellationToken cancellationToken)
    {
        var graph = await QueryAsync(_folder, cancellationToken).ConfigureAwait(false);
        OpenCompiler(graph);
        return new SourceTree(graph);
    }

    /// <summary>Decides what a change asks for.</summary>
    public Reaction React(ChangeSet changes, string serving, Func<string, bool> readsAgain)
    {
        var reaction = new ChangeClassifier(_graph, _compiler?.Compiles ?? [], readsAgain).Classify(changes, ProjectDirectory, serving);

        // After a failed build the compilers still know the projects as they were before it.
        return _owed is { } owed && reaction.Class is not ChangeClass.Nothing && reaction.Class < owed.Class
            ? owed with { Remarks = [$"the build that failed is tried again, {serving} serves meanwhile"] }
            : reaction with { NeedsRestore = reaction.NeedsRestore || _owed?.NeedsRestore == true };
    }

    /// <summary>Compiles in this process; the files are those edited, added or deleted since the last call.</summary>
    public BuildResult Compile(IReadOnlyCollection<string> changedFiles, CancellationToken cancellationToken) =>
        _compiler?.Compile(changedFiles, cancellationToken) ?? new BuildResult(_built, []);

    public BuildResult CompileWhole(CancellationToken cancellationToken) =>
        _compiler?.CompileWhole(cancellationToken) ?? new BuildResult(_built, []);

    /// <summary>Shows the warnings of a build, and a hint if a compilation took longer than it has to.</summary>
    public void Comment(BuildResult build, ChangeSet changes, Reaction reaction, TimeSpan took)
    {
        foreach (var warning in _warnings.Take(build.Diagnostics, [.. changes.Changes.Select(change => change.Path)]))
        {
            console.Show(warning);
        }

        if (reaction.Class == ChangeClass.Compile && build.Program is not null)
        {
            _hint.Consider(took);
        }
    }

    /// <summary>Does what takes seconds: a real build if one is asked for, and opening the compilers anew. Calls must not overlap.</summary>
    /// <returns>The program, and the files that matter from now on; null if the build failed.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; nothing has changed.</exception>
    public async Task<(BuildResult Build, SourceTree? Tree)> BuildAsync(Reaction reaction, CancellationToken cancellationToken)
    {
        try
        {
            var (result, tree) = reaction.Class == ChangeClass.Build
                ? await BuildReallyAsync(reaction.NeedsRestore, cancellationToken).ConfigureAwait(false)
                : await ReconfigureAsync(cancellationToken).ConfigureAwait(false);
            _owed = tree is null ? reaction : null;
            return (result, tree);
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or UnauthorizedAccessException or BadImageFormatException or Win32Exception)
        {
            _owed = reaction;
            return (new BuildResult(null, [new BuildDiagnostic("RELOAD2", IsError: true, prerequisites.ProjectPath, 0, 0, e.Message)]), null);
        }
    }

    /// <summary>A program is being served: what earlier builds left for others is no longer needed.</summary>
    public void Serves(ProgramImage program) =>
        _folders.KeepOnly(program.BuiltAs is null ? null : Path.GetDirectoryName(program.BuiltAs));

    private async Task<(BuildResult, SourceTree?)> BuildReallyAsync(bool restore, CancellationToken cancellationToken)
    {
        var folder = _folders.CreateNext();
        var succeeded = false;
        try
        {
            var diagnostics = await SdkBuild.RunAsync(prerequisites, folder, restore, cancellationToken).ConfigureAwait(false);
            if (diagnostics.Any(diagnostic => diagnostic.IsError))
            {
                return (new BuildResult(null, diagnostics), null);
            }

            var graph = await QueryAsync(folder, cancellationToken).ConfigureAwait(false);
            var assembly = Path.Combine(folder, graph.Application.AssemblyName + ".dll");
            if (ProcessLimits.Find(prerequisites, assembly) is { } limit)
            {
                return (new BuildResult(null, [.. diagnostics, limit]), null);
            }

            succeeded = true;
            _folder = folder;
            _built = Read(assembly);
            OpenCompiler(graph);
            return (new BuildResult(_built, diagnostics), new SourceTree(graph));
        }
        finally
        {
            if (!succeeded)
            {
                BuildFolders.Delete(folder);
            }
        }
    }

    private async Task<(BuildResult, SourceTree?)> ReconfigureAsync(CancellationToken cancellationToken)
    {
        var tree = await OpenAsync(cancellationToken).ConfigureAwait(false);
        return (Compile([], cancellationToken), tree);
    }

    private Task<ProjectGraph> QueryAsync(string? folder, CancellationToken cancellationToken) => ProjectGraph.QueryAsync(
        prerequisites.Dotnet, prerequisites.ProjectPath, prerequisites.Configuration, folder, cancellationToken);

    private void OpenCompiler(ProjectGraph graph)
    {
        var earlier = _compiler;
        _graph = graph;
        _compiler = null;
        if (graph.Application.CommandLine?.RoslynDirectory is not { } directory)
        {
            console.Say($"{Path.GetFileName(graph.Application.ProjectPath)} is not written in C#, so every edit is a real build");
            return;
        }

        try
        {
            _roslyn = _roslyn?.Directory == directory ? _roslyn : new RoslynLoadContext(directory);
            _compiler = SolutionCompiler.Open(_roslyn, graph, _built, earlier, console.Say);
            _warnings.Take(_compiler.Opening.Diagnostics, []);
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or BadImageFormatException)
        {
            console.Say($"can't compile {graph.Application.ProjectPath} in this process ({e.Message}), so every edit is a real build");
        }
    }

    private static ProgramImage Read(string assembly)
    {
        var program = ProjectLibraries.ReadProgram(assembly);
        var libraries = new Dictionary<string, AssemblyImage>(program.Libraries);
        foreach (var (name, package) in PackageAssemblies.ReadChanged(assembly, PackageAssemblies.ReadBase()))
        {
            libraries.TryAdd(name, package);
        }

        return program with { Libraries = libraries, BuiltAs = assembly };
    }
}
