using System.Diagnostics;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Package;

/// <summary>The package, packed as for a release into a feed of its own, and an application that has it from there alone.</summary>
public sealed class PackedLibrary : IAsyncLifetime
{
    public const string Version = "0.0.1-packed";

    private const string Application = "Shop";

    private readonly string _root = Directory.CreateTempSubdirectory("package-").FullName;

    public string PackagePath => Path.Combine(Feed, $"ResilientHosting.{Version}.nupkg");

    public string SymbolsPath => Path.ChangeExtension(PackagePath, ".snupkg");

    private string Feed => Path.Combine(_root, "feed");

    public async ValueTask InitializeAsync() => await DotnetAsync(
        "pack", Repository.PathOf("src", "ResilientHosting"), "-c", "Release", $"-p:Version={Version}", "-p:ContinuousIntegrationBuild=true",
        "-o", Feed, "-nologo", "-v:q", "-nodeReuse:false", "-p:UseSharedCompilation=false");

    /// <summary>Makes an application as the SDK does, and adds the package to it.</summary>
    /// <param name="program">Its Program.cs.</param>
    public async Task<ReloadableProject> CreateApplicationAsync(string program)
    {
        var folder = Path.Combine(_root, Application);
        await DotnetAsync("new", "web", "--output", folder, "--no-restore", "--no-update-check");
        await File.WriteAllTextAsync(Path.Combine(_root, "nuget.config"), $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{Path.Combine(_root, "packages")}" /></config>
              <packageSources><clear /><add key="feed" value="{Feed}" /></packageSources>
            </configuration>
            """);

        // The script of Blazor comes in a package of its own, which is not in this feed.
        await File.WriteAllTextAsync(
            Path.Combine(_root, "Directory.Build.props"), "<Project><PropertyGroup><RequiresAspNetWebAssets>false</RequiresAspNetWebAssets></PropertyGroup></Project>");
        await DotnetAsync("add", folder, "package", "ResilientHosting", "--version", Version);
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), program);
        await ReloadableProject.BuildAsync(folder);
        return new ReloadableProject(_root, _root, Application);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_root, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static async Task DotnetAsync(params string[] arguments)
    {
        var command = ReloadableProject.Command(ReloadableProject.Dotnet, arguments);
        command.RedirectStandardOutput = true;
        using var process = Process.Start(command)!;
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(10));
        await process.WaitForExitAsync().WaitAsync(ConsoleLines.Timeout);
        Assert.True(process.ExitCode == 0, output);
    }
}
