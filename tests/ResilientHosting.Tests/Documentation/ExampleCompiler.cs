using System.Collections.Immutable;
using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Documentation;

/// <summary>
/// Compiles an example as the Program.cs of a web project which has the files of Documentation/Context beside it. Those declare what
/// the pages take for granted: the usings, <c>builder</c>, <c>app</c>, and the application's own types. What an example declares
/// itself comes before what they declare.
/// </summary>
internal static class ExampleCompiler
{
    private static readonly CSharpParseOptions Language = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Preview);

    // Assemblies beside the tests whose types are none of a reader's.
    private static readonly string[] NotReferenced = ["ResilientHosting.Tests", "MinimalApi", "ScaleOut", "ResendApp"];

    // Older versions of referenced assemblies are unified; every SDK project leaves these warnings out.
    private static readonly IReadOnlyDictionary<string, ReportDiagnostic> LeftOutBySdk =
        new Dictionary<string, ReportDiagnostic> { ["CS1701"] = ReportDiagnostic.Suppress, ["CS1702"] = ReportDiagnostic.Suppress };

    private static readonly ImmutableArray<MetadataReference> References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !NotReferenced.Contains(Path.GetFileNameWithoutExtension(path)))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    private static readonly ImmutableArray<SyntaxTree> Context =
    [
        .. Directory.EnumerateFiles(Repository.PathOf("tests", "ResilientHosting.Tests", "Documentation", "Context"), "*.cs")
            .Select(path => CSharpSyntaxTree.ParseText(File.ReadAllText(path), Language, path)),
    ];

    /// <returns>The compiler's errors and warnings, with the place in the page.</returns>
    public static IEnumerable<string> Check(MarkdownBlock example) => Compile(example)
        .GetDiagnostics()
        .Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning)
        .Select(Describe);

    public static CSharpCompilation Compile(MarkdownBlock example)
    {
        // The compiler counts from here.
        var text = $"#line {example.Line} \"{example.Page.Name}\"\n{example.Text}";
        var program = CSharpSyntaxTree.ParseText(SourceText.From(text), Language);
        var hasStatements = program.GetRoot().ChildNodes().OfType<GlobalStatementSyntax>().Any();
        var options = new CSharpCompilationOptions(hasStatements ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary)
            .WithNullableContextOptions(NullableContextOptions.Enable)
            .WithSpecificDiagnosticOptions(LeftOutBySdk);
        return CSharpCompilation.Create("Example", Context.Add(program), References, options);
    }

    private static string Describe(Diagnostic diagnostic)
    {
        var place = diagnostic.Location.GetMappedLineSpan();
        var (line, column) = (place.StartLinePosition.Line + 1, place.StartLinePosition.Character + 1);
        return $"{place.Path}({line},{column}): {diagnostic.Id}: {diagnostic.GetMessage(CultureInfo.InvariantCulture)}";
    }
}
