using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;

namespace ResilientHosting.Compiler;

/// <summary>A project that stays open between compilations: parsed trees, references and generator results are kept.</summary>
public sealed class ProjectCompiler
{
    private readonly CSharpCommandLineArguments _arguments;
    private readonly SourceFiles _files;
    private readonly ResourceDescription[] _resources;
    private readonly EmitOptions _emitOptions;
    private CSharpCompilation _compilation;
    private GeneratorDriver _driver;

    private ProjectCompiler(CSharpCommandLineArguments arguments)
    {
        _arguments = arguments;
        _files = new SourceFiles(arguments);
        _resources = [.. arguments.ManifestResources];
        _emitOptions = arguments.EmitOptions.WithDebugInformationFormat(DebugInformationFormat.PortablePdb);

        var configuration = EditorConfig.Load(arguments);
        _compilation = CreateCompilation(configuration);
        _driver = CreateDriver(configuration);
    }

    /// <summary>Opens the project that a compiler command line describes.</summary>
    /// <param name="commandLine">The arguments MSBuild would give to csc.</param>
    /// <param name="projectDirectory">The folder that relative paths of the command line refer to.</param>
    /// <returns>
    /// A delegate that brings the project up to date with the given files (changed, added or gone) and compiles it. Calls must not
    /// overlap. It returns the image and its symbols (empty when there are errors), every warning and error as id, severity
    /// (2 warning, 3 error), path, line, column (both from 1, or 0) and message, and the number of generated files.
    /// </returns>
    /// <exception cref="InvalidOperationException">The command line is malformed, or a source generator can't be loaded.</exception>
    public static Func<IReadOnlyCollection<string>, CancellationToken, (byte[], byte[], DiagnosticRow[], int)> Open(
        string[] commandLine, string projectDirectory)
    {
        ArgumentNullException.ThrowIfNull(commandLine);
        var arguments = CSharpCommandLineParser.Default.Parse(commandLine, projectDirectory, sdkDirectory: null);
        if (arguments.Errors.Any(error => error.Severity == DiagnosticSeverity.Error))
        {
            throw new InvalidOperationException("MSBuild gave a command line the compiler rejects: " + string.Join("; ", arguments.Errors));
        }

        var compiler = new ProjectCompiler(arguments);
        return compiler.Compile;
    }

    private (byte[] Image, byte[] Symbols, DiagnosticRow[] Diagnostics, int GeneratedFiles) Compile(
        IReadOnlyCollection<string> changedFiles, CancellationToken cancellationToken)
    {
        (_compilation, _driver) = _files.Update(_compilation, _driver, changedFiles, cancellationToken);

        // The driver is kept even when this compilation fails: what the generators learnt is still good for the next.
        _driver = _driver.RunGeneratorsAndUpdateCompilation(_compilation, out var generated, out _, cancellationToken);
        var generatorRun = _driver.GetRunResult();

        using var image = new MemoryStream();
        using var symbols = new MemoryStream();
        var emitted = generated.Emit(
            image, symbols, manifestResources: _resources, options: _emitOptions, cancellationToken: cancellationToken);

        var diagnostics = generatorRun.Results
            .Where(result => result.Exception is not null)
            .Select(result => new DiagnosticRow("CS8785", (int)DiagnosticSeverity.Error, "", 0, 0, $"Generator '{result.Generator.GetGeneratorType().Name}' failed: {result.Exception}"))
            .Concat(_files.Unreadable)
            .Concat(generatorRun.Diagnostics.Concat(emitted.Diagnostics)
                .Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning && !diagnostic.IsSuppressed)
                .Select(Describe))
            .ToArray();

        var failed = !emitted.Success || diagnostics.Any(diagnostic => diagnostic.Item2 == (int)DiagnosticSeverity.Error);
        return (failed ? [] : image.ToArray(), failed ? [] : symbols.ToArray(), diagnostics, generatorRun.GeneratedTrees.Length);
    }

    private CSharpCompilation CreateCompilation(EditorConfig configuration)
    {
        var baseDirectory = _arguments.BaseDirectory ?? Environment.CurrentDirectory;
        var references = _arguments.MetadataReferences.Select(reference =>
            (MetadataReference)MetadataReference.CreateFromFile(Path.Combine(baseDirectory, reference.Reference), reference.Properties));

        var options = _arguments.CompilationOptions
            .WithSyntaxTreeOptionsProvider(configuration.TreeOptions)
            .WithMetadataReferenceResolver(null)
            .WithXmlReferenceResolver(new Microsoft.CodeAnalysis.XmlFileResolver(baseDirectory))
            .WithSourceReferenceResolver(new SourceFileResolver([], baseDirectory, _arguments.PathMap))
            .WithStrongNameProvider(new DesktopStrongNameProvider(_arguments.KeyFileSearchPaths));

        return CSharpCompilation.Create(_arguments.CompilationName, _files.ParseAll(), references, options);
    }

    private CSharpGeneratorDriver CreateDriver(EditorConfig configuration)
    {
        var context = AssemblyLoadContext.GetLoadContext(typeof(ProjectCompiler).Assembly)!;
        var generators = GeneratorLoader.Load(_arguments.AnalyzerReferences.Select(reference => reference.FilePath), context);
        return CSharpGeneratorDriver.Create(generators, _files.AdditionalTexts, _arguments.ParseOptions, configuration.GeneratorOptions);
    }

    private static DiagnosticRow Describe(Diagnostic diagnostic)
    {
        var message = diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture);
        if (!diagnostic.Location.IsInSource)
        {
            return (diagnostic.Id, (int)diagnostic.Severity, "", 0, 0, message);
        }

        var span = diagnostic.Location.GetMappedLineSpan();
        return (diagnostic.Id, (int)diagnostic.Severity, span.Path, span.StartLinePosition.Line + 1, span.StartLinePosition.Character + 1, message);
    }
}
