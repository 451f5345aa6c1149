using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;

namespace ResilientHosting.Compiler;

/// <summary>A project that stays open between compilations: parsed trees, references and generator results are kept.</summary>
public sealed class ProjectCompiler
{
    private const int WarmUpRounds = 4;

    private readonly CSharpCommandLineArguments _arguments;
    private readonly SourceFiles _files;
    private readonly ImageEmitter _emitter;
    private readonly PublicSurface? _surface;
    private readonly Dictionary<string, MetadataReference> _references;
    private readonly Generators _generators;
    private CSharpCompilation _compilation;
    private ImmutableArray<SyntaxTree> _generated = [];
    private bool _sameReferences = true;
    private bool _warmingUp = true;

    private ProjectCompiler(CSharpCommandLineArguments arguments, string[] ownGenerators, bool allowDeltas, bool isReferenced)
    {
        _arguments = arguments;
        _files = new SourceFiles(arguments);
        var outline = new Outline();
        _emitter = new ImageEmitter(
            outline,
            [.. arguments.ManifestResources],
            arguments.EmitOptions.WithDebugInformationFormat(DebugInformationFormat.PortablePdb),
            allowDeltas && arguments.CompilationOptions.OptimizationLevel == OptimizationLevel.Debug);

        _surface = isReferenced ? new PublicSurface(outline) : null;
        _references = OpenReferences(arguments);

        var configuration = EditorConfig.Load(arguments);
        _compilation = CreateCompilation(configuration);
        _generators = new Generators(arguments, ownGenerators, _files.AdditionalTexts, configuration, outline);
    }

    /// <summary>Opens the project that a compiler command line describes.</summary>
    /// <param name="commandLine">The arguments MSBuild would give to csc.</param>
    /// <param name="projectDirectory">The folder that relative paths of the command line refer to.</param>
    /// <param name="ownGenerators">The analyzers that the solution builds itself, which may be others the next time.</param>
    /// <param name="allowDeltas">Whether the runtime can apply deltas to an image.</param>
    /// <param name="isReferenced">Whether other projects refer to this one.</param>
    /// <returns>
    /// A delegate that brings the project up to date with the given files (changed, added or gone) and reference assemblies (by the path
    /// under which the project refers to them) and compiles it, as a whole image if told so. Calls must not overlap. It returns the image
    /// and its symbols (both empty when there are errors, or when nothing but comments and white space has changed), the delta to apply
    /// to it if there is one, the project's own reference assembly if what other projects see of it has changed, and every warning and
    /// error as id, severity (2 warning, 3 error), path, line, column (both from 1, or 0) and message.
    /// </returns>
    /// <exception cref="InvalidOperationException">The command line is malformed, or a source generator can't be loaded.</exception>
    public static CompileDelegate Open(
        string[] commandLine, string projectDirectory, string[] ownGenerators, bool allowDeltas, bool isReferenced)
    {
        ArgumentNullException.ThrowIfNull(commandLine);
        var arguments = CSharpCommandLineParser.Default.Parse(commandLine, projectDirectory, sdkDirectory: null);
        if (arguments.Errors.Any(error => error.Severity == DiagnosticSeverity.Error))
        {
            throw new InvalidOperationException("MSBuild gave a command line the compiler rejects: " + string.Join("; ", arguments.Errors));
        }

        var compiler = new ProjectCompiler(arguments, ownGenerators, allowDeltas, isReferenced);
        compiler.WarmUp();
        compiler._warmingUp = false;
        return compiler.Compile;
    }

    /// <summary>Compiles the project once, and then plays an edit through a few times, so that the first real one finds compiled code.</summary>
    private void WarmUp()
    {
        IReadOnlyDictionary<string, byte[]> unchanged = ImmutableDictionary<string, byte[]>.Empty;
        Compile([], unchanged, whole: true, default);
        if (_compilation.GetEntryPoint(default) is { DeclaringSyntaxReferences: [var declaration, ..] })
        {
            for (var round = 0; round < WarmUpRounds; round++)
            {
                Compile([declaration.SyntaxTree.FilePath], unchanged, whole: false, default);
                _emitter.Rehearse();
            }
        }
    }

    private (byte[] Image, byte[] Symbols, ImageDelta? Delta, byte[]? Reference, DiagnosticRow[] Diagnostics) Compile(
        IReadOnlyCollection<string> changedFiles,
        IReadOnlyDictionary<string, byte[]> changedReferences,
        bool whole,
        CancellationToken cancellationToken)
    {
        _compilation = _files.Update(_compilation, _generators, changedFiles);
        Replace(changedReferences);
        _sameReferences &= changedReferences.Count == 0;
        if (changedFiles.Count > 0 && !_files.Differ && _sameReferences && !whole && !_warmingUp)
        {
            return ([], [], null, null, []);
        }

        // What another project changed may reach into any method of this one.
        whole |= changedReferences.Count > 0;

        // Most edits of code leave what the generators produce as it is, so the image is emitted with that while the generators run.
        var program = _compilation.AddSyntaxTrees(_generated);
        var isForGenerators = changedFiles.Count > 0 && !changedFiles.Any(SourceFiles.IsCode);
        Emission? emission = null;
        try
        {
            Parallel.Invoke(
                () => emission = isForGenerators ? null : TryDelta(),
                () => _generators.Run(_compilation, cancellationToken));
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }

        var generated = _generators.Trees;
        var broken = _files.Unreadable.Concat(_generators.Failures.Select(Describe)).ToArray();
        if (broken.Length > 0)
        {
            return ([], [], null, null, broken);
        }

        if (isForGenerators || !SameTexts(generated, _generated))
        {
            program = _compilation.AddSyntaxTrees(generated);
            emission = TryDelta();
        }

        emission ??= _emitter.EmitWhole(program, cancellationToken);
        _generated = generated;

        // The very same program: what was bound for the image is not bound again.
        var reference = emission.Image.Length == 0 ? null : _surface?.FindChange(program, cancellationToken);
        if (emission.Image.Length > 0)
        {
            // From here on nothing can be cancelled: what is accepted is also returned.
            _files.Accept();
            _sameReferences = true;
        }

        return (emission.Image, emission.Symbols, emission.Delta, reference, [.. _generators.Diagnostics.Concat(emission.Diagnostics)
            .Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning && !diagnostic.IsSuppressed)
            .Select(Describe)]);

        Emission? TryDelta() => whole ? null : _emitter.TryDelta(program, cancellationToken);
    }

    private static bool SameTexts(ImmutableArray<SyntaxTree> newer, ImmutableArray<SyntaxTree> older) =>
        newer.Length == older.Length
        && newer.Zip(older).All(pair => pair.First == pair.Second
            || (pair.First.FilePath == pair.Second.FilePath && pair.First.GetText().ContentEquals(pair.Second.GetText())));

    private CSharpCompilation CreateCompilation(EditorConfig configuration)
    {
        var baseDirectory = BaseDirectory(_arguments);
        var options = _arguments.CompilationOptions
            .WithSyntaxTreeOptionsProvider(configuration.TreeOptions)
            .WithMetadataReferenceResolver(null)
            .WithXmlReferenceResolver(new Microsoft.CodeAnalysis.XmlFileResolver(baseDirectory))
            .WithSourceReferenceResolver(new SourceFileResolver([], baseDirectory, _arguments.PathMap))
            .WithStrongNameProvider(new DesktopStrongNameProvider(_arguments.KeyFileSearchPaths));

        return CSharpCompilation.Create(_arguments.CompilationName, _files.ParseAll(), _references.Values, options);
    }

    private void Replace(IReadOnlyDictionary<string, byte[]> changedReferences)
    {
        foreach (var (path, image) in changedReferences)
        {
            var old = _references[path];
            var fresh = MetadataReference.CreateFromImage(image, old.Properties, filePath: path);
            _compilation = _compilation.ReplaceReference(old, fresh);
            _references[path] = fresh;
        }
    }

    private static Dictionary<string, MetadataReference> OpenReferences(CSharpCommandLineArguments arguments)
    {
        var references = new Dictionary<string, MetadataReference>();
        foreach (var reference in arguments.MetadataReferences)
        {
            var path = Path.Combine(BaseDirectory(arguments), reference.Reference);
            references.TryAdd(path, MetadataReference.CreateFromFile(path, reference.Properties));
        }

        return references;
    }

    private static string BaseDirectory(CSharpCommandLineArguments arguments) => arguments.BaseDirectory ?? Environment.CurrentDirectory;

    private static DiagnosticRow Describe(GeneratorRunResult failed) =>
        ("CS8785", (int)DiagnosticSeverity.Error, "", 0, 0, $"Generator '{failed.Generator.GetGeneratorType().Name}' failed: {failed.Exception}");

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
