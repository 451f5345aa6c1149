using System.Collections.Immutable;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace ResilientHosting.Compiler;

/// <summary>What <c>.editorconfig</c> and global configuration files say: severities for the compiler, options for generators.</summary>
internal sealed class EditorConfig
{
    private EditorConfig(AnalyzerConfigSet configs, string? projectDirectory)
    {
        TreeOptions = new Severities(configs);
        GeneratorOptions = new Options(configs, projectDirectory);
    }

    public SyntaxTreeOptionsProvider TreeOptions { get; }

    public AnalyzerConfigOptionsProvider GeneratorOptions { get; }

    public static EditorConfig Load(CSharpCommandLineArguments arguments) =>
        new(AnalyzerConfigSet.Create(arguments.AnalyzerConfigPaths
            .Where(File.Exists)
            .Select(path => AnalyzerConfig.Parse(File.ReadAllText(path), path))
            .ToImmutableArray()), arguments.BaseDirectory);

    private sealed class Severities(AnalyzerConfigSet configs) : SyntaxTreeOptionsProvider
    {
        public override GeneratedKind IsGenerated(SyntaxTree tree, CancellationToken cancellationToken) => GeneratedKind.Unknown;

        public override bool TryGetDiagnosticValue(
            SyntaxTree tree, string diagnosticId, CancellationToken cancellationToken, out ReportDiagnostic severity) =>
            configs.GetOptionsForSourcePath(tree.FilePath).TreeOptions.TryGetValue(diagnosticId, out severity);

        public override bool TryGetGlobalDiagnosticValue(
            string diagnosticId, CancellationToken cancellationToken, out ReportDiagnostic severity) =>
            configs.GlobalConfigOptions.TreeOptions.TryGetValue(diagnosticId, out severity);
    }

    private sealed class Options(AnalyzerConfigSet configs, string? projectDirectory) : AnalyzerConfigOptionsProvider
    {
        private const string TargetPath = "build_metadata.AdditionalFiles.TargetPath";

        public override AnalyzerConfigOptions GlobalOptions { get; } = new Values(configs.GlobalConfigOptions.AnalyzerOptions);

        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => For(tree.FilePath);

        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile)
        {
            var options = configs.GetOptionsForSourcePath(textFile.Path).AnalyzerOptions;
            if (!options.ContainsKey(TargetPath) && projectDirectory is not null && Path.GetExtension(textFile.Path) is ".razor" or ".cshtml")
            {
                // MSBuild tells Razor where in the project a file belongs, but it hasn't seen this one yet: it is new.
                var place = Path.GetRelativePath(projectDirectory, textFile.Path);
                options = options.SetItem(TargetPath, Convert.ToBase64String(Encoding.UTF8.GetBytes(place)));
            }

            return new Values(options);
        }

        private Values For(string path) => new(configs.GetOptionsForSourcePath(path).AnalyzerOptions);
    }

    private sealed class Values(ImmutableDictionary<string, string> values) : AnalyzerConfigOptions
    {
        public override IEnumerable<string> Keys => values.Keys;

        public override bool TryGetValue(string key, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? value) =>
            values.TryGetValue(key, out value);
    }
}
