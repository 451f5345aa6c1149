using System.Text.Json;

namespace ResilientHosting.Reloading;

/// <summary>The application's project and every project it refers to, in the order in which they are built: dependencies first.</summary>
internal sealed record ProjectGraph(IReadOnlyList<SolutionProject> Projects)
{
    private const string Target = "ResilientHostingDescribeProjects";

    /// <summary>Gets the project of the application, which all others are built for.</summary>
    public SolutionProject Application => Projects[^1];

    /// <summary>Asks MSBuild. Takes about a second, in a process of its own; nothing is compiled, and nothing is written but what a build writes to obj, or elsewhere if obj is read-only.</summary>
    /// <param name="dotnet">The SDK's command.</param>
    /// <param name="projectPath">The project of the application.</param>
    /// <param name="configuration">What it is built for, <c>Debug</c> as a rule.</param>
    /// <param name="outputFolder">Where it was built to, if not to the project's own output folder.</param>
    /// <param name="cancellationToken">Ends MSBuild early.</param>
    /// <exception cref="InvalidOperationException">MSBuild can't evaluate a project; the message holds what it printed.</exception>
    public static async Task<ProjectGraph> QueryAsync(
        string dotnet, string projectPath, string configuration, string? outputFolder, CancellationToken cancellationToken)
    {
        var folder = ScratchFolder.Create(Path.GetDirectoryName(projectPath)!);
        var intermediate = Path.Combine(Path.GetDirectoryName(projectPath)!, "obj");
        var isReadOnly = Directory.Exists(intermediate) && !ScratchFolder.IsWritable(intermediate);
        var targets = Path.Combine(folder.FullName, Target + ".targets");
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

                    // Not a "design-time build": such a one leaves out sources that the SDK generates, MVC's application parts for example.
                    "-property:ProvideCommandLineArgs=true", "-property:SkipCompilerExecution=true",
                    "-property:BuildProjectReferences=false", "-property:Configuration=" + configuration,

                    // Without an output that can't exist, an up-to-date project skips the compiler and names no arguments.
                    "-property:NonExistentFile=__NonExistentSubDir__/__NonExistentFile__",
                    .. outputFolder is null ? Array.Empty<string>() : ["-property:OutDir=" + outputFolder],
                    .. isReadOnly ? ["-property:ResilientHostingIntermediateFolder=" + folder.FullName + Path.DirectorySeparatorChar] : Array.Empty<string>(),
                ],
                Path.GetDirectoryName(projectPath)!,
                cancellationToken).ConfigureAwait(false);
            return exitCode == 0
                ? Parse(output)
                : throw new InvalidOperationException($"MSBuild can't evaluate {projectPath}: {(output + errors).Trim()}");
        }
        finally
        {
            if (isReadOnly)
            {
                // The compiler goes on reading what was generated here.
                AppDomain.CurrentDomain.ProcessExit += (_, _) => BuildFolders.Delete(folder.FullName);
            }
            else
            {
                folder.Delete(recursive: true);
            }
        }
    }

    internal static ProjectGraph Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return new ProjectGraph([.. document.RootElement
            .GetProperty("TargetResults").GetProperty(Target).GetProperty("Items").EnumerateArray()
            .Select(SolutionProject.Parse)
            .DistinctBy(project => project.ProjectPath)]);
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

    /// <summary>Gets the source files, whatever their language.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>Gets the files that other tools than the compiler read, such as resources, and those that the user wants watched.</summary>
    public IReadOnlyList<string> BuildInputs { get; init; } = [];

    /// <summary>Gets the files that the user doesn't want watched.</summary>
    public IReadOnlyList<string> Unwatched { get; init; } = [];

    /// <summary>Gets the files that MSBuild evaluates: the project, and what its folder inherits.</summary>
    public IReadOnlyList<string> BuildFiles { get; init; } = [];

    /// <summary>Gets the name under which the project's user secrets are kept; empty if it has none.</summary>
    public string UserSecretsId { get; init; } = "";

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
            [.. Lines("ProjectReferences").Select(FullPath)])
        {
            Sources = [.. Lines("Sources").Select(FullPath)],
            BuildInputs = [.. Lines("BuildInputs").Select(FullPath)],
            Unwatched = [.. Lines("Unwatched").Select(FullPath)],
            BuildFiles = [.. Lines("BuildFiles").Select(FullPath)],
            UserSecretsId = Value("SecretsId"),
        };

        string Value(string name) => item.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

        string[] Lines(string name) => Value(name).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

        string FullPath(string file) => Path.GetFullPath(file.Replace('\\', '/'), directory);
    }
}
