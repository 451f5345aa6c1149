using System.Text.Json;

namespace ResilientHosting.Reloading;

/// <summary>The application's project and every project it refers to, in the order in which they are built: dependencies first.</summary>
internal sealed record ProjectGraph(IReadOnlyList<SolutionProject> Projects)
{
    private const string Target = "ResilientHostingDescribeProjects";

    /// <summary>Gets the project of the application, which all others are built for.</summary>
    public SolutionProject Application => Projects[^1];

    /// <summary>Asks MSBuild. Takes about a second, in a process of its own; nothing is compiled and nothing is written to the projects.</summary>
    /// <exception cref="InvalidOperationException">MSBuild can't evaluate a project; the message holds what it printed.</exception>
    public static async Task<ProjectGraph> QueryAsync(
        string dotnet, string projectPath, string configuration, CancellationToken cancellationToken)
    {
        var targets = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".targets");
        try
        {
            using (var description = typeof(ProjectGraph).Assembly.GetManifestResourceStream("ResilientHosting.DescribeProjects.targets")!)
            using (var file = File.Create(targets))
            {
                await description.CopyToAsync(file, cancellationToken).ConfigureAwait(false);
            }

            var (exitCode, output, errors) = await DotnetCommand.RunAsync(
                dotnet,
                [
                    "msbuild", projectPath, "-nologo", "-target:" + Target, "-getTargetResult:" + Target,
                    "-property:CustomAfterMicrosoftCommonTargets=" + targets,
                    "-property:ProvideCommandLineArgs=true", "-property:SkipCompilerExecution=true", "-property:DesignTimeBuild=true",
                    "-property:BuildProjectReferences=false", "-property:Configuration=" + configuration,

                    // Without an output that can't exist, an up-to-date project skips the compiler and names no arguments.
                    "-property:NonExistentFile=__NonExistentSubDir__/__NonExistentFile__",
                ],
                Path.GetDirectoryName(projectPath)!,
                cancellationToken).ConfigureAwait(false);
            return exitCode == 0
                ? Parse(output)
                : throw new InvalidOperationException($"MSBuild can't evaluate {projectPath}: {(output + errors).Trim()}");
        }
        finally
        {
            File.Delete(targets);
        }
    }

    /// <exception cref="InvalidOperationException">The application's own project is not written in C#.</exception>
    internal static ProjectGraph Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var projects = document.RootElement.GetProperty("TargetResults").GetProperty(Target).GetProperty("Items").EnumerateArray()
            .Select(SolutionProject.Parse)
            .DistinctBy(project => project.ProjectPath)
            .ToArray();
        return projects[^1].CommandLine is not null
            ? new ProjectGraph(projects)
            : throw new InvalidOperationException($"MSBuild names no compiler arguments for {projects[^1].ProjectPath}; only C# projects can be reloaded.");
    }
}

/// <summary>One project of the graph.</summary>
/// <param name="ProjectPath">The project file.</param>
/// <param name="AssemblyName">The simple name of the assembly it becomes.</param>
/// <param name="CommandLine">How it is compiled; null if its language is not C#.</param>
/// <param name="ReferencedAs">The files under which the compilers of other projects know its public surface.</param>
/// <param name="References">The project files it refers to directly.</param>
internal sealed record SolutionProject(
    string ProjectPath,
    string AssemblyName,
    CompilerCommandLine? CommandLine,
    IReadOnlyList<string> ReferencedAs,
    IReadOnlyList<string> References)
{
    public string Directory => Path.GetDirectoryName(ProjectPath)!;

    public static SolutionProject Parse(JsonElement item)
    {
        var path = Value("Identity");
        var directory = Path.GetDirectoryName(path)!;
        var arguments = Lines("CompilerArguments");
        return new SolutionProject(
            path,
            Value("CompilerAssemblyName"),
            arguments.Length == 0 ? null : new CompilerCommandLine(
                path,
                arguments,
                Path.Combine(Value("CompilerDirectory"), "bincore"),
                FullPath(Value("IntermediateFolder")),
                [.. Value("DefaultExcludes")
                    .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                    .Select(pattern => pattern.Replace('\\', '/').Replace("//", "/", StringComparison.Ordinal))]),
            [.. Lines("ReferencedAs").Select(FullPath)],
            [.. Lines("ProjectReferences").Select(FullPath)]);

        string Value(string name) => item.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

        string[] Lines(string name) => Value(name).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

        string FullPath(string file) => Path.GetFullPath(file.Replace('\\', '/'), directory);
    }
}
