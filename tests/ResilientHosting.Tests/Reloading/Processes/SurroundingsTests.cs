using System.Globalization;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Processes;

/// <summary>Processes that lack what others have, or are started in other ways: edits are served all the same.</summary>
[Collection(nameof(LifetimeProcesses))]
public sealed class SurroundingsTests(ReloadableProject project)
{
    private static readonly Dictionary<string, string> NothingMore = [];
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private string[] Application => [ReloadableProject.Dotnet, "exec", project.AssemblyPath];

    private static string[] InNamespace(params string[] command) =>
        ["unshare", .. Environment.IsPrivilegedProcess ? Array.Empty<string>() : ["--user", "--map-root-user"], .. command];

    [Fact]
    public async Task NoHome_EditAndRealBuild_AreServed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "HOME is a variable of Unix.");
        await using var app = ReloadableApp.Launch(
            project, NothingMore, ["/usr/bin/env", "-u", "HOME", "-u", "DOTNET_CLI_HOME", "-u", "XDG_DATA_HOME", .. Application]);

        await AssertEditAndRealBuildAreServedAsync(app);
    }

    [Theory]
    [InlineData("/nowhere")]
    [InlineData("/proc")]
    public async Task TemporaryFolderThatCannotBeUsed_EditAndRealBuild_AreServed(string folder)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Uses folders of Linux.");
        await using var app = ReloadableApp.Launch(project, new Dictionary<string, string> { ["TMPDIR"] = folder }, Application);

        await AssertEditAndRealBuildAreServedAsync(app);
    }

    [Theory]
    [InlineData("obj")]
    [InlineData("")]
    public async Task ReadOnlyFolder_Edit_IsServed(string folder)
    {
        await RequireNamespacesAsync();

        // As a build has left it: other tests have built something else meanwhile.
        project.Restore();
        await ReloadableProject.BuildAsync(project.Folder);
        var path = Path.TrimEndingDirectorySeparator(project.PathOf(folder));
        await using var app = ReloadableApp.Launch(
            project,
            NothingMore,
            [
                .. InNamespace("--mount"), "/bin/sh", "-c",
                "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && cd . && ! touch \"$0/written\" 2>/dev/null && exec \"$@\"",
                path, .. Application,
            ]);
        await app.WaitUntilListeningAsync();
        await app.WaitUntilReadyAsync();

        await app.ReloadAsync(() => project.EditGreeting("original", "edited"));
        Assert.Equal("edited", await app.GetAsync("/"));
        await app.ReloadAsync(() => project.Write("Extra.cs", "namespace Added; class Extra;"));
        Assert.Equal("Extra", await app.GetAsync("/added"));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task FirstProcessOfAContainer_EditAndSignal_WorkAsElsewhere(string signal)
    {
        await RequireNamespacesAsync();
        await using var app = ReloadableApp.Launch(
            project,
            new Dictionary<string, string> { ["DOTNET_RUNNING_IN_CONTAINER"] = "true" },
            [.. InNamespace("--pid", "--fork", "--kill-child", "--mount-proc"), .. Application]);
        await app.WaitUntilListeningAsync();
        await app.WaitUntilReadyAsync();
        Assert.Equal("1", await app.GetAsync("/pid"));

        await app.ReloadAsync(() => project.EditGreeting("original", "edited"));
        Assert.Equal("edited", await app.GetAsync("/"));
        await app.SignalAsync(signal, ChildOf(app.ProcessId));

        Assert.Equal(0, await app.WaitForExitAsync(Limit));
        await app.Console.WaitForAsync("application: stopping");
    }

    [Fact]
    public async Task Apphost_Edit_IsServed()
    {
        var program = Path.ChangeExtension(project.AssemblyPath, OperatingSystem.IsWindows() ? ".exe" : null);
        var root = Path.GetDirectoryName(ReloadableProject.Dotnet)!;
        await using var app = ReloadableApp.Launch(project, new Dictionary<string, string> { ["DOTNET_ROOT"] = root }, program);
        await app.WaitUntilListeningAsync();
        await app.WaitUntilReadyAsync();

        await app.ReloadAsync(() => project.EditGreeting("original", "edited"));
        Assert.Equal("edited", await app.GetAsync("/"));
        await app.SignalAsync("TERM");

        Assert.Equal(0, await app.WaitForExitAsync(Limit));
    }

    [Fact]
    public async Task DotnetRunInATerminal_EditAndCtrlC_EndEverything()
    {
        await using var app = ReloadableApp.Launch(
            project, NothingMore, TestTerminal.CommandLine(ReloadableProject.Dotnet, "run", "--no-build", "--project", project.Folder));
        await app.WaitUntilListeningAsync();
        await app.WaitUntilReadyAsync();
        await app.ReloadAsync(() => project.EditGreeting("original", "edited"));
        Assert.Equal("edited", await app.GetAsync("/"));

        await app.SignalAsync(TestTerminal.CtrlC);

        Assert.Equal(0, await app.WaitForExitAsync(Limit));
        await app.Console.WaitForAsync("application: stopping");
        await app.AssertNoOrphansAsync();
    }

    private static int ChildOf(int id) => int.Parse(
        File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/task/{id}/children")), CultureInfo.InvariantCulture);

    private static async Task RequireNamespacesAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has namespaces.");
        var trial = ReloadableProject.Command("/usr/bin/env", [.. InNamespace("--mount", "--pid", "--fork"), "true"]);
        try
        {
            await ServerProgram.RunAsync(trial);
        }
        catch (InvalidOperationException e)
        {
            Assert.Skip("This user may not create namespaces here: " + e.Message);
        }
    }

    private async Task AssertEditAndRealBuildAreServedAsync(ReloadableApp app)
    {
        await app.WaitUntilListeningAsync();
        await app.WaitUntilReadyAsync();

        await app.ReloadAsync(() => project.EditGreeting("original", "edited"));
        Assert.Equal("edited", await app.GetAsync("/"));
        await app.ReloadAsync(() => project.Replace("App.csproj", "</PropertyGroup>", "<Product>Built</Product></PropertyGroup>"));
        Assert.Equal(2, await app.GetGenerationAsync());
    }
}
