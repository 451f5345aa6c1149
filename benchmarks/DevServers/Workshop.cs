using System.Diagnostics;
using ResilientHosting.Reloading;

namespace ResilientHosting.Benchmarks.DevServers;

/// <summary>A temporary folder in which the solutions are made. What is written here is gone at the end, and the repository untouched.</summary>
internal sealed class Workshop : IDisposable
{
    private static readonly TimeSpan BuildLimit = TimeSpan.FromMinutes(5);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("benchmarks-");

    /// <summary>Gets what a project file says to refer to the library that is measured.</summary>
    public static string Reference { get; } = $"""<Reference Include="{typeof(IDevReloader).Assembly.Location}" />""";

    public string CreateFolder(string name)
    {
        // Ends the search for a parent's settings.
        var folder = _folder.CreateSubdirectory(name).FullName;
        File.WriteAllText(Path.Combine(folder, "Directory.Build.props"), "<Project />");
        return folder;
    }

    public static void Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    /// <summary>Runs the .NET command line. Build servers that it would leave behind are not used.</summary>
    public static async Task DotnetAsync(string directory, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = directory, RedirectStandardOutput = true };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        using var process = Process.Start(start)!;
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(BuildLimit);
            await process.WaitForExitAsync().WaitAsync(BuildLimit);
            if (process.ExitCode != 0)
            {
                throw new InvalidOperationException($"dotnet {string.Join(' ', arguments)} failed:\n{output}");
            }
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
