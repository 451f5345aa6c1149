using System.Collections.Immutable;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ResilientHosting.Compiler;

/// <summary>
/// The project's source generators. Those known to read declarations alone rest while edits stay inside bodies: in a large program they
/// take far longer than the edit itself, to come to what they came to before. All others see every edit.
/// </summary>
internal sealed class Generators
{
    // It writes nothing unless the program calls AddValidation, and is by far the slowest to find that out.
    private const string ValidationGenerator = "Microsoft.Extensions.Validation.ValidationsGenerator";

    /// <summary>What the SDK brings and what looks at declarations, attributes and additional files, never at a body.</summary>
    private static readonly HashSet<string> ReadDeclarationsAlone =
    [
        "Microsoft.AspNetCore.App.SourceGenerators", "Microsoft.CodeAnalysis.Razor.Compiler", "Microsoft.Extensions.Logging.Generators",
        "Microsoft.Extensions.Options.SourceGeneration", "Microsoft.Interop.ComInterfaceGenerator", "Microsoft.Interop.JavaScript.JSImportGenerator",
        "Microsoft.Interop.LibraryImportGenerator", "System.Text.Json.SourceGeneration", "System.Text.RegularExpressions.Generator",
    ];

    private readonly Outline _outline;
    private GeneratorDriver _declarationReaders;
    private GeneratorDriver _validation;
    private GeneratorDriver _others;
    private CSharpCompilation? _seen;

    public Generators(
        CSharpCommandLineArguments arguments, string[] own, ImmutableArray<AdditionalText> additionalTexts, EditorConfig configuration, Outline outline)
    {
        _outline = outline;
        var context = AssemblyLoadContext.GetLoadContext(typeof(ProjectCompiler).Assembly)!;
        var all = GeneratorLoader.Load(arguments.AnalyzerReferences.Select(reference => reference.FilePath), own, context);
        var byKind = all.ToLookup(generator => generator.GetGeneratorType().Assembly.GetName().Name switch
        {
            ValidationGenerator => ValidationGenerator,
            { } name when ReadDeclarationsAlone.Contains(name) => nameof(ReadDeclarationsAlone),
            _ => "",
        });
        (_declarationReaders, _validation, _others) = (Create(nameof(ReadDeclarationsAlone)), Create(ValidationGenerator), Create(""));

        GeneratorDriver Create(string kind) =>
            CSharpGeneratorDriver.Create(byKind[kind], additionalTexts, arguments.ParseOptions, configuration.GeneratorOptions);
    }

    private IEnumerable<GeneratorDriverRunResult> Results =>
        [_declarationReaders.GetRunResult(), _validation.GetRunResult(), _others.GetRunResult()];

    public ImmutableArray<SyntaxTree> Trees => [.. Results.SelectMany(result => result.GeneratedTrees)];

    public IEnumerable<Diagnostic> Diagnostics => Results.SelectMany(result => result.Diagnostics);

    public IEnumerable<GeneratorRunResult> Failures => Results.SelectMany(result => result.Results).Where(result => result.Exception is not null);

    /// <summary>Takes in that an additional file was edited, has come (there is no old one) or has gone (there is no fresh one).</summary>
    public void Replace(AdditionalText? old, AdditionalText? fresh)
    {
        _declarationReaders = Replace(_declarationReaders);
        _validation = Replace(_validation);
        _others = Replace(_others);
        _seen = null;

        GeneratorDriver Replace(GeneratorDriver driver) => (old, fresh) switch
        {
            ({ } before, { } after) => driver.ReplaceAdditionalText(before, after),
            ({ } before, null) => driver.RemoveAdditionalTexts([before]),
            (null, { } after) => driver.AddAdditionalTexts([after]),
            _ => driver,
        };
    }

    public void Run(CSharpCompilation program, CancellationToken cancellationToken)
    {
        var difference = _seen is null ? null : Difference.Find(_seen, program, _outline, cancellationToken);
        var insideBodies = difference is { IsInsideBodies: true };
        if (!insideBodies)
        {
            _seen = null;
            _declarationReaders = _declarationReaders.RunGenerators(program, cancellationToken);
        }

        if (!insideBodies || Validates(difference!))
        {
            _validation = _validation.RunGenerators(program, cancellationToken);
        }

        _others = _others.RunGenerators(program, cancellationToken);
        _seen = program;
    }

    private bool Validates(Difference difference) =>
        _validation.GetRunResult().GeneratedTrees.Any(tree => tree.ToString().Contains("AddValidation", StringComparison.Ordinal))
        || difference.Trees.Any(tree => tree.Newer.ToString().Contains("AddValidation", StringComparison.Ordinal));
}
