using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Reflection.Metadata;
using System.Runtime.Loader;
namespace ResilientHosting.Reloading;

/// <summary>The SDK's own C# compiler, in this process, with the project kept open between compilations.</summary>
[RequiresUnreferencedCode("Loads the SDK's compiler.")]
[RequiresDynamicCode("Loads the SDK's compiler.")]
internal sealed class SdkCompiler
{
    private const int ErrorSeverity = 3;

    private readonly CompileDelegate _compile;

    private SdkCompiler(CompileDelegate compile) => _compile = compile;

    /// <exception cref="InvalidOperationException">The SDK's compiler, or a source generator of the project, can't be loaded.</exception>
    public static SdkCompiler Open(CompilerCommandLine commandLine) => Open(commandLine, MetadataUpdater.IsSupported);

    /// <inheritdoc cref="Open(CompilerCommandLine)" />
    public static SdkCompiler Open(CompilerCommandLine commandLine, bool allowDeltas)
    {
        var context = new RoslynLoadContext(commandLine.RoslynDirectory);
        using var image = typeof(SdkCompiler).Assembly.GetManifestResourceStream("ResilientHosting.Compiler.dll")!;
        var open = context.LoadFromStream(image).GetType("ResilientHosting.Compiler.ProjectCompiler", throwOnError: true)!
            .GetMethod("Open", BindingFlags.Public | BindingFlags.Static)!
            .CreateDelegate<Func<string[], string, bool, CompileDelegate>>();
        return new SdkCompiler(open([.. commandLine.Arguments], commandLine.ProjectDirectory, allowDeltas));
    }

    /// <summary>Compiles the project as it is now; the files are those edited, added or deleted since the last call. Calls must not overlap.</summary>
    public BuildResult Compile(IReadOnlyCollection<string> changedFiles, CancellationToken cancellationToken) =>
        Compile(changedFiles, whole: false, cancellationToken);

    /// <summary>Compiles the project as it was at the last call, as an image of its own rather than a delta.</summary>
    public BuildResult CompileWhole(CancellationToken cancellationToken) => Compile([], whole: true, cancellationToken);

    private BuildResult Compile(IReadOnlyCollection<string> changedFiles, bool whole, CancellationToken cancellationToken)
    {
        var (image, symbols, delta, rows) = _compile(changedFiles, whole, cancellationToken);
        var diagnostics = rows
            .Select(row => new BuildDiagnostic(row.Id, row.Severity == ErrorSeverity, row.Path, row.Line, row.Column, row.Message))
            .Distinct()
            .ToArray();
        return image.Length == 0
            ? new BuildResult(null, diagnostics)
            : new BuildResult(
                new AssemblyImage(image, symbols, delta is { } edit ? new ImageDelta(edit.Metadata, edit.IL, edit.Symbols) : null),
                diagnostics);
    }

    /// <summary>Keeps the SDK's Roslyn apart from any Roslyn the application carries.</summary>
    [RequiresUnreferencedCode("Loads the SDK's compiler.")]
    private sealed class RoslynLoadContext(string directory) : AssemblyLoadContext("ResilientHosting compiler")
    {
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            if (assemblyName.Name?.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal) != true)
            {
                return null;
            }

            var path = Path.Combine(directory, assemblyName.Name + ".dll");
            return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
        }
    }
}
