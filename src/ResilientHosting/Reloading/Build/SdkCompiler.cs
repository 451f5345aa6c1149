using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Reflection.Metadata;

namespace ResilientHosting.Reloading;

/// <summary>One project, kept open between compilations by the SDK's own C# compiler in this process.</summary>
[RequiresUnreferencedCode("Loads the SDK's compiler.")]
[RequiresDynamicCode("Loads the SDK's compiler.")]
internal sealed class SdkCompiler
{
    private const int ErrorSeverity = 3;

    private readonly CompileDelegate _compile;

    private SdkCompiler(CompileDelegate compile) => _compile = compile;

    /// <param name="roslyn">The compiler.</param>
    /// <param name="commandLine">The project.</param>
    /// <param name="isReferenced">Whether other projects refer to it, so that a change of its public surface matters.</param>
    /// <param name="ownGenerators">The analyzers among its arguments that the solution builds itself.</param>
    /// <param name="allowDeltas">Whether deltas may be emitted; by default, whether the runtime can apply them.</param>
    /// <exception cref="InvalidOperationException">The SDK's compiler, or a source generator of the project, can't be loaded.</exception>
    public static SdkCompiler Open(
        RoslynLoadContext roslyn,
        CompilerCommandLine commandLine,
        bool isReferenced = false,
        IEnumerable<string>? ownGenerators = null,
        bool? allowDeltas = null) =>
        new(roslyn.OpenProject(
            [.. commandLine.Arguments],
            commandLine.ProjectDirectory,
            [.. ownGenerators ?? []],
            allowDeltas ?? MetadataUpdater.IsSupported,
            isReferenced));

    /// <summary>Compiles the project as it is now. Calls must not overlap.</summary>
    /// <param name="changedFiles">The files edited, added or deleted since the last call.</param>
    /// <param name="changedReferences">The reference assemblies of other projects that changed since the last call, by path.</param>
    /// <param name="whole">Whether to make a whole image, even if a delta would do.</param>
    /// <param name="cancellationToken">Ends the compilation early; the next call brings what this one missed.</param>
    public ProjectBuild Compile(
        IReadOnlyCollection<string> changedFiles,
        IReadOnlyDictionary<string, byte[]> changedReferences,
        bool whole,
        CancellationToken cancellationToken)
    {
        var (image, symbols, delta, reference, rows) = _compile(changedFiles, changedReferences, whole, cancellationToken);
        var diagnostics = rows
            .Select(row => new BuildDiagnostic(row.Id, row.Severity == ErrorSeverity, row.Path, row.Line, row.Column, row.Message))
            .Distinct()
            .ToArray();
        return new ProjectBuild(
            image.Length == 0 ? null : new AssemblyImage(image, symbols, delta is { } edit ? new ImageDelta(edit.Metadata, edit.IL, edit.Symbols) : null),
            reference,
            diagnostics);
    }

    /// <summary>Compiles the project with the given files changed, and nothing else.</summary>
    public ProjectBuild Compile(IReadOnlyCollection<string> changedFiles, CancellationToken cancellationToken) =>
        Compile(changedFiles, ImmutableDictionary<string, byte[]>.Empty, whole: false, cancellationToken);
}

/// <summary>What came out of the compilation of one project. There is an image unless there are errors, or nothing new.</summary>
/// <param name="Image">The assembly.</param>
/// <param name="ChangedReference">Its reference assembly, if what other projects see of it has changed.</param>
/// <param name="Diagnostics">Warnings and errors.</param>
internal sealed record ProjectBuild(AssemblyImage? Image, byte[]? ChangedReference, IReadOnlyList<BuildDiagnostic> Diagnostics)
{
    /// <summary>Gets a value indicating whether only comments and white space have changed, so that the latest image still holds.</summary>
    public bool IsUnchanged => Image is null && !Errors.Any();

    public IEnumerable<BuildDiagnostic> Errors => Diagnostics.Where(diagnostic => diagnostic.IsError);
}
