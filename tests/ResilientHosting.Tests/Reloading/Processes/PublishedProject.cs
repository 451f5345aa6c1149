using System.Diagnostics;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Processes;

/// <summary>A small application that asks for the reloader, to be published in each way there is.</summary>
public sealed class PublishedProject : IAsyncLifetime
{
    // Compiling ahead of time takes a minute where nothing else runs.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    // A package source out of reach, a package that it doesn't have, a linker that is not installed.
    private static readonly string[] Lacking = ["NU1301", "NU1101", "NU1102", "Platform linker"];

    private readonly ReloadableProject _project =
        new(Directory.CreateTempSubdirectory("published-").FullName, ReloadableProject.AssetsOf("Published"), "App");

    public string Folder => _project.Folder;

    public string AssemblyPath => _project.AssemblyPath;

    public ValueTask InitializeAsync() => _project.InitializeAsync();

    public ValueTask DisposeAsync() => _project.DisposeAsync();

    public string PathBeside(string folder) => _project.PathBeside(folder);

    /// <summary>Publishes it, or skips the test if what that takes can't be had here.</summary>
    public async Task PublishAsync(string folder, params string[] arguments)
    {
        var publish = ReloadableProject.Command(
            ReloadableProject.Dotnet,
            ["publish", Folder, "-nologo", "-v:q", "-nodeReuse:false", "-p:UseSharedCompilation=false", "-o", folder, .. arguments]);
        publish.RedirectStandardOutput = true;
        using var process = Process.Start(publish)!;
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(Limit);
        await process.WaitForExitAsync().WaitAsync(Limit);

        var lacks = Array.Find(Lacking, code => output.Contains(code, StringComparison.Ordinal));
        Assert.SkipWhen(lacks is not null, $"What publishing takes cannot be installed here ({lacks}).");
        Assert.True(process.ExitCode == 0, output);
    }
}
