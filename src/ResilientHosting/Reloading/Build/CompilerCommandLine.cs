using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace ResilientHosting.Reloading;

/// <summary>How MSBuild would compile the project: the compiler's own arguments, and where compiler and outputs are.</summary>
internal sealed record CompilerCommandLine(
    string ProjectPath,
    IReadOnlyList<string> Arguments,
    string RoslynDirectory,
    string IntermediateDirectory,
    IReadOnlyList<string> DefaultExcludes)
{
    public string ProjectDirectory => Path.GetDirectoryName(ProjectPath)!;

    /// <summary>Gets the full paths of the files that are compiled: sources, and additional files for generators such as Razor's.</summary>
    public IEnumerable<string> SourceFiles => Arguments
        .Where(argument => argument.Length > 0 && (argument[0] != '/' || (File.Exists(argument) && SourceTree.IsSource(argument))))
        .Concat(Arguments
            .Where(argument => argument.StartsWith("/additionalfile:", StringComparison.Ordinal))
            .Select(argument => argument["/additionalfile:".Length..]))
        .Select(path => Path.GetFullPath(path.Trim('"'), ProjectDirectory))
        .Where(SourceTree.IsSource);

    /// <summary>Asks MSBuild. Takes about a second, in a process of its own; nothing is compiled and nothing is written.</summary>
    /// <exception cref="InvalidOperationException">MSBuild can't evaluate the project; the message holds what it printed.</exception>
    public static async Task<CompilerCommandLine> QueryAsync(
        string dotnet, string projectPath, string configuration, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(dotnet)
        {
            WorkingDirectory = Path.GetDirectoryName(projectPath)!,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            CreateNoWindow = true,
            ArgumentList =
            {
                "msbuild", projectPath, "-nologo", "-target:Compile", "-getItem:CscCommandLineArgs",
                "-getProperty:RoslynTargetsPath,IntermediateOutputPath,DefaultItemExcludes,DefaultExcludesInProjectFolder",
                "-property:ProvideCommandLineArgs=true", "-property:SkipCompilerExecution=true", "-property:DesignTimeBuild=true",
                "-property:BuildProjectReferences=false", "-property:Configuration=" + configuration,

                // Without an output that can't exist, an up-to-date project skips the target and gives an empty list.
                "-property:NonExistentFile=__NonExistentSubDir__/__NonExistentFile__",
            },
        };

        // What the process around us was told about itself would be wrong for another MSBuild.
        foreach (var inherited in start.Environment.Keys.Where(key => key.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(inherited);
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{dotnet} could not be started.");
        process.StandardInput.Close();
        try
        {
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return process.ExitCode == 0
                ? Parse(projectPath, output)
                : throw new InvalidOperationException($"MSBuild can't evaluate {projectPath}: {(output + await errors.ConfigureAwait(false)).Trim()}");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    internal static CompilerCommandLine Parse(string projectPath, string json)
    {
        using var document = JsonDocument.Parse(json);
        var properties = document.RootElement.GetProperty("Properties");
        var directory = Path.GetDirectoryName(projectPath)!;
        var arguments = document.RootElement.GetProperty("Items").GetProperty("CscCommandLineArgs").EnumerateArray()
            .Select(item => item.GetProperty("Identity").GetString()!)
            .ToArray();
        if (arguments.Length == 0)
        {
            throw new InvalidOperationException($"MSBuild names no compiler arguments for {projectPath}; only C# projects can be reloaded.");
        }

        return new CompilerCommandLine(
            projectPath,
            arguments,
            Path.Combine(Property("RoslynTargetsPath"), "bincore"),
            Path.GetFullPath(Property("IntermediateOutputPath").Replace('\\', '/'), directory),
            [.. (Property("DefaultItemExcludes") + ";" + Property("DefaultExcludesInProjectFolder"))
                .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(pattern => pattern.Replace('\\', '/').Replace("//", "/", StringComparison.Ordinal))]);

        string Property(string name) => properties.GetProperty(name).GetString() ?? "";
    }
}
