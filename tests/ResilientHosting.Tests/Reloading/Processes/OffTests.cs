using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Processes;

/// <summary>Where the reloader must be off: it says why, once, and nothing of it is to be found in the process.</summary>
[Collection(nameof(LifetimeProcesses))]
public sealed class OffTests(ReloadableProject project, PublishedProject published) : IClassFixture<PublishedProject>
{
    private static readonly Dictionary<string, string> NothingMore = [];

    private static string RuntimeIdentifier => RuntimeInformation.RuntimeIdentifier;

    [Theory]
    [InlineData("ASPNETCORE_ENVIRONMENT", "Production", "the environment is Production, not Development")]
    [InlineData("DOTNET_WATCH", "1", "dotnet watch is already in charge (DOTNET_WATCH=1)")]
    [InlineData("DevReloader__Enabled", "false", "DevReloaderOptions.Enabled is false")]
    public async Task Off_Start_SaysWhyOnceAndCostsNothing(string variable, string value, string reason)
    {
        var environment = new Dictionary<string, string> { [variable] = value, ["UseDevReloader"] = "true", ["AddDevReloader"] = "true" };
        await using var app = ReloadableApp.Launch(project, environment, ReloadableProject.Dotnet, "exec", project.AssemblyPath);
        await app.WaitUntilListeningAsync();
        environment["UseDevReloader"] = environment["AddDevReloader"] = "false";
        await using var without = ReloadableApp.Launch(project, environment, ReloadableProject.Dotnet, "exec", project.AssemblyPath);
        await without.WaitUntilListeningAsync();

        Assert.Equal("original", await app.GetAsync("/"));
        Assert.Equal("original", await without.GetAsync("/"));
        foreach (var inside in OperatingSystem.IsLinux() ? new[] { "assemblies", "threads", "watchers" } : ["assemblies"])
        {
            Assert.Equal(await ListAsync(without, inside), await ListAsync(app, inside));
        }

        Assert.Equal("0", await app.GetAsync("/reloader"));
        Assert.Equal("[]", await app.GetAsync("/reloader/history"));
        await app.PostAsync("/reloader/reload?reason=in%20vain");
        using var response = await app.Client.GetAsync("/", TestContext.Current.CancellationToken);
        Assert.False(response.Headers.Contains(ReloadableApp.Generation));
        AssertSaysWhyOnce(app, reason);
    }

    [Fact]
    public async Task On_Start_CanBeFoundInTheProcess()
    {
        await using var app = await ReloadableApp.StartAsync(project);
        await using var without = ReloadableApp.Launch(project, "--UseDevReloader=false", "--AddDevReloader=false");
        await without.WaitUntilListeningAsync();

        var assemblies = await ListAsync(app, "assemblies");

        Assert.Contains("Microsoft.CodeAnalysis.CSharp", assemblies);
        Assert.Contains("ResilientHosting.Compiler", assemblies);
        Assert.DoesNotContain("Microsoft.CodeAnalysis.CSharp", await ListAsync(without, "assemblies"));
        if (OperatingSystem.IsLinux())
        {
            Assert.NotEqual(await ListAsync(without, "watchers"), await ListAsync(app, "watchers"));
        }
    }

    [Theory]
    [InlineData("web", "the application is published; dotnet run, in its project, starts one that is reloaded")]
    [InlineData("file", "the application is published as a single file", "-p:PublishSingleFile=true")]
    public async Task Published_Start_SaysWhyOnce(string folder, string reason, params string[] arguments)
    {
        var output = published.PathBeside(folder);
        await published.PublishAsync(output, ["-r", RuntimeIdentifier, "--self-contained=false", .. arguments]);
        await AssertServesWithoutAsync(ReloadableApp.Launch(
            output,
            new Dictionary<string, string> { ["DOTNET_ROOT"] = Path.GetDirectoryName(ReloadableProject.Dotnet)! },
            ProgramIn(output)), reason);
    }

    [Theory]
    [InlineData("trimmed", "-p:PublishTrimmed=true")]
    [InlineData("trimmed-file", "-p:PublishTrimmed=true", "-p:PublishSingleFile=true")]
    [InlineData("ahead-of-time", "-p:PublishAot=true")]
    public async Task PublishedTrimmed_Start_SaysWhyOnce_AndThePublishingHasNoWarning(string folder, params string[] arguments)
    {
        var output = published.PathBeside(folder);
        await published.PublishAsync(output, ["-r", RuntimeIdentifier, "--self-contained", "-warnaserror", "-p:TrimmerSingleWarn=false", .. arguments]);

        await AssertServesWithoutAsync(
            ReloadableApp.Launch(output, NothingMore, ProgramIn(output)),
            "the application is published trimmed or ahead of time, or the switch ResilientHosting.DevReloader.IsSupported is false");
    }

    [Fact]
    public async Task SelfContained_Start_SaysWhyOnce()
    {
        var output = published.PathBeside("complete");
        var moved = published.PathBeside("moved");
        await published.PublishAsync(output, "-r", RuntimeIdentifier, "--self-contained");
        Directory.Move(output, moved);

        await AssertServesWithoutAsync(
            ReloadableApp.Launch(moved, NothingMore, ProgramIn(moved)),
            "the application is self-contained: the runtime that it brings along has no .NET SDK");
    }

    [Theory]
    [InlineData("System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported")]
    [InlineData("ResilientHosting.DevReloader.IsSupported")]
    public async Task SwitchedOffInRuntimeConfig_Start_SaysWhyOnce(string name)
    {
        var configuration = JsonNode.Parse(
            await File.ReadAllTextAsync(Path.ChangeExtension(published.AssemblyPath, ".runtimeconfig.json"), TestContext.Current.CancellationToken))!;
        var properties = (JsonObject)(configuration["runtimeOptions"]!["configProperties"] ??= new JsonObject());
        properties[name] = false;
        var path = published.PathBeside("switched-off.runtimeconfig.json");
        await File.WriteAllTextAsync(path, configuration.ToJsonString(), TestContext.Current.CancellationToken);

        await AssertServesWithoutAsync(
            ReloadableApp.Launch(published.Folder, NothingMore, ReloadableProject.Dotnet, "exec", "--runtimeconfig", path, published.AssemblyPath),
            "the application is published trimmed or ahead of time, or the switch ResilientHosting.DevReloader.IsSupported is false");
    }

    [Fact]
    public async Task NoSources_Start_SaysWhyOnce()
    {
        using var elsewhere = new TemporaryFolder();
        var copy = elsewhere.PathOf("moved");
        Copy(Path.GetDirectoryName(published.AssemblyPath)!, copy);
        var away = published.Folder + ".away";
        Directory.Move(published.Folder, away);
        try
        {
            await AssertServesWithoutAsync(
                ReloadableApp.Launch(copy, NothingMore, ReloadableProject.Dotnet, "exec", Path.Combine(copy, "App.dll")),
                "the project of App was not found; set DevReloaderOptions.ProjectPath");
        }
        finally
        {
            Directory.Move(away, published.Folder);
        }
    }

    [Fact]
    public async Task NoSdk_Start_SaysWhyOnce()
    {
        // What a machine has that can run applications and can't build any.
        using var runtime = new TemporaryFolder();
        var root = Path.GetDirectoryName(ReloadableProject.Dotnet)!;
        foreach (var folder in new[] { "host", "shared" })
        {
            Copy(Path.Combine(root, folder), runtime.PathOf(folder));
        }

        var dotnet = runtime.PathOf(Path.GetFileName(ReloadableProject.Dotnet));
        File.Copy(ReloadableProject.Dotnet, dotnet);

        await AssertServesWithoutAsync(
            ReloadableApp.Launch(published.Folder, NothingMore, dotnet, "exec", published.AssemblyPath),
            $"there is no .NET SDK in {runtime.Path}");
    }

    private static async Task AssertServesWithoutAsync(ReloadableApp launched, string reason)
    {
        await using var app = launched;
        await app.WaitUntilListeningAsync();

        Assert.Equal("served", await app.GetAsync("/"));
        Assert.DoesNotContain("CodeAnalysis", await app.GetAsync("/assemblies"), StringComparison.Ordinal);
        AssertSaysWhyOnce(app, reason);
    }

    private static void AssertSaysWhyOnce(ReloadableApp app, string reason)
    {
        var said = Assert.Single(app.Console.Since(0), line => line.Contains("reloader", StringComparison.OrdinalIgnoreCase));
        Assert.Contains($"The dev reloader is off: {reason}.", said, StringComparison.Ordinal);
    }

    private static string ProgramIn(string folder) => Path.Combine(folder, OperatingSystem.IsWindows() ? "App.exe" : "App");

    private static async Task<string> ListAsync(ReloadableApp app, string inside)
    {
        using var json = JsonDocument.Parse(await app.GetAsync("/inside/" + inside));
        if (json.RootElement.ValueKind == JsonValueKind.Number)
        {
            return json.RootElement.ToString();
        }

        // The thread pool and the timers come and go as they like.
        var names = json.RootElement.EnumerateArray().Select(name => name.GetString()!);
        return string.Join('\n', names.Where(name => !name.StartsWith(".NET T", StringComparison.Ordinal)).Distinct());
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}
