using System.Globalization;
using System.Text.RegularExpressions;

namespace ResilientHosting.Reloading;

/// <summary>A real build of the application and all it refers to, by <c>dotnet build</c>.</summary>
internal static partial class SdkBuild
{
    /// <summary>Builds into a folder. Cancelled, it ends the build and leaves the folder to the caller.</summary>
    /// <returns>Warnings and errors; an error at least if the build failed.</returns>
    public static async Task<IReadOnlyList<BuildDiagnostic>> RunAsync(
        Prerequisites prerequisites, string folder, bool restore, CancellationToken cancellationToken)
    {
        var (exitCode, output, errors) = await DotnetCommand.RunAsync(
            prerequisites.Dotnet,
            [
                "build", prerequisites.ProjectPath, "-nologo", "-verbosity:quiet", "-consoleLoggerParameters:NoSummary", "-terminalLogger:off",

                // A node that stays would hold on to the pipe we read from, and to the generators that it has loaded.
                "-nodeReuse:false", "-property:OutDir=" + folder, "-property:Configuration=" + prerequisites.Configuration,
                .. restore ? Array.Empty<string>() : ["--no-restore"],
            ],
            Path.GetDirectoryName(prerequisites.ProjectPath)!,
            cancellationToken).ConfigureAwait(false);

        var diagnostics = Parse(output + Environment.NewLine + errors);
        return exitCode == 0 || diagnostics.Any(diagnostic => diagnostic.IsError)
            ? diagnostics
            : [.. diagnostics, new BuildDiagnostic("MSB1", IsError: true, prerequisites.ProjectPath, 0, 0, (output + errors).Trim())];
    }

    internal static IReadOnlyList<BuildDiagnostic> Parse(string output) =>
    [
        .. DiagnosticLine().Matches(output).Select(match => new BuildDiagnostic(
            match.Groups["id"].Value,
            match.Groups["severity"].Value == "error",
            match.Groups["path"].Value,
            Number(match.Groups["line"]),
            Number(match.Groups["column"]),
            match.Groups["message"].Value)
        {
            Project = match.Groups["project"] is { Success: true, Value: var project } ? project : null,
        }).Distinct(),
    ];

    private static int Number(Group group) => group.Success ? int.Parse(group.ValueSpan, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(
        @"^\s*(?:(?<path>[^\r\n]*?)(?:\((?<line>\d+)(?:,(?<column>\d+))?[^)]*\))?\s*:\s)?(?<severity>error|warning) (?<id>[A-Za-z]+\d+)\s*: (?<message>[^\r\n]*?)(?: \[(?<project>[^\]\r\n]*proj)(?:::[^\]]*)?\])?\r?$",
        RegexOptions.Multiline)]
    private static partial Regex DiagnosticLine();
}
