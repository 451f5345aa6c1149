using System.Diagnostics;
using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>
/// A solution of several languages in a folder of its own, built, and its application running in one process. Tests change its
/// project files and all else that the compiler alone can't deal with; each leaves it so that it builds.
/// </summary>
public sealed class ChangeableSolution : IAsyncLifetime
{
    private static readonly string Assets = Path.Combine(AppContext.BaseDirectory, "TestAssets", "Changeable");

    // The builds of these tests must not leave a compile server behind.
    private static readonly Dictionary<string, string> Environment = new() { ["UseSharedCompilation"] = "false" };

    private readonly TemporaryFolder _folder = new();
    private readonly string _secretsId = $"resilient-hosting-tests-{Guid.NewGuid():N}";
    private ReloadableApp? _app;

    public ReloadableApp App => _app ?? throw new InvalidOperationException("Not started.");

    public string SecretsPath => Microsoft.Extensions.Configuration.UserSecrets.PathHelper.GetSecretsPathFromSecretsId(_secretsId);

    public async ValueTask InitializeAsync()
    {
        foreach (var file in Directory.GetFiles(Assets, "*", SearchOption.AllDirectories))
        {
            Write(Path.GetRelativePath(Assets, file), await File.ReadAllTextAsync(file));
        }

        Directory.CreateDirectory(PathOf(".git"));
        Directory.CreateDirectory(Path.GetDirectoryName(SecretsPath)!);
        Write("Directory.Build.props", $"""
            <Project>
              <PropertyGroup>
                <ResilientHostingAssembly>{typeof(IDevReloader).Assembly.Location}</ResilientHostingAssembly>
                <TestSecretsId>{_secretsId}</TestSecretsId>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
            </Project>
            """);

        await RunAsync("restore", PathOf("Extra"));
        await RunAsync("build", PathOf("App"));
        _app = ReloadableApp.Launch(
            PathOf("App"), Environment, ReloadableProject.Dotnet, "exec", PathOf("App/bin/Debug/net10.0/App.dll"), "--DevReloader:StartTimeout=00:01:00");
        await _app.WaitUntilListeningAsync();
        await _app.WaitUntilReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        Directory.Delete(Path.GetDirectoryName(SecretsPath)!, recursive: true);
        _folder.Dispose();
    }

    public string PathOf(string file) => _folder.PathOf(file);

    public string Read(string file) => File.ReadAllText(PathOf(file));

    public void Write(string file, string content) => _folder.Write(file, content);

    public void Replace(string file, string oldText, string newText)
    {
        var content = Read(file);
        Assert.Contains(oldText, content, StringComparison.Ordinal);
        Write(file, content.Replace(oldText, newText, StringComparison.Ordinal));
    }

    /// <summary>Runs the SDK's command and returns what it printed.</summary>
    public static async Task<string> RunAsync(params string[] arguments)
    {
        var command = ReloadableProject.Command(ReloadableProject.Dotnet, [.. arguments, "-nologo", "-v:q", "-nodeReuse:false"]);
        command.RedirectStandardOutput = true;
        command.Environment["UseSharedCompilation"] = "false";
        using var process = Process.Start(command)!;
        var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(3));
        await process.WaitForExitAsync().WaitAsync(ConsoleLines.Timeout);
        Assert.True(process.ExitCode == 0, output);
        return output;
    }
}
