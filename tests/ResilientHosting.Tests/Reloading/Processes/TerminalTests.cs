using System.Globalization;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Processes;

/// <summary>The reloader needs no terminal, and whatever becomes of one, edits are served.</summary>
[Collection(nameof(LifetimeProcesses))]
public sealed class TerminalTests(ReloadableProject project)
{
    private static readonly Dictionary<string, string> NothingMore = [];
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private string[] Application => [ReloadableProject.Dotnet, "exec", project.AssemblyPath];

    [Theory]
    [InlineData("exec \"$@\" </dev/null >/dev/null 2>&1")]
    [InlineData("exec \"$@\" <&-")]
    [InlineData("exec \"$@\" <&- >&- 2>&-")]
    [InlineData("exec setsid \"$@\" <&- >&- 2>&-")]
    [InlineData("trap '' HUP; exec \"$@\"")]
    public async Task Redirected_Edit_IsServed(string script)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Uses programs of Linux.");
        using var starts = new StartAnnouncements();
        await using var app = LaunchByShell(script, starts);

        await AssertEditIsServedAsync(app, starts);

        await app.SignalAsync("TERM");
        Assert.Equal(0, await app.WaitForExitAsync(Limit));
    }

    [Theory]
    [InlineData("trap '' HUP; exec \"$@\"")]
    [InlineData("exec nohup \"$@\" >/dev/null 2>&1")]
    public async Task HungUp_WhereThatIsIgnored_EditIsServed(string script)
    {
        using var starts = new StartAnnouncements();
        await using var app = ReloadableApp.Launch(
            project, NothingMore, TestTerminal.CommandLine(["/bin/sh", "-c", script, "sh", .. Application, starts.Argument]));
        await app.WaitUntilListeningAsync(starts);
        var id = await GetProcessIdAsync(app);

        await app.SignalAsync(TestTerminal.HangUp);
        await AssertEditIsServedAsync(app, starts, begun: true);

        await app.SignalAsync("TERM", id);
        Assert.Equal(0, await app.WaitForExitAsync(Limit));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HungUp_Otherwise_EndsAsEveryProcess(bool reloader)
    {
        await using var app = ReloadableApp.Launch(
            project,
            NothingMore,
            TestTerminal.CommandLine([.. Application, $"--UseDevReloader={reloader}", $"--AddDevReloader={reloader}"]));
        await app.WaitUntilListeningAsync();
        if (reloader)
        {
            await app.WaitUntilReadyAsync();
            await app.ReloadAsync(() => project.EditGreeting("original", "edited"));
        }

        await app.SignalAsync(TestTerminal.HangUp);

        Assert.Equal(128 + 1, await app.WaitForExitAsync(Limit));
        await app.AssertNoOrphansAsync();
    }

    [Fact]
    public async Task BackgroundJob_Edit_IsServedAndNothingStopsIt()
    {
        using var starts = new StartAnnouncements();
        await using var app = ReloadableApp.Launch(
            project,
            NothingMore,
            TestTerminal.CommandLine(["/bin/bash", "-c", "set -m; \"$@\" & wait $!", "bash", .. Application, starts.Argument]));

        // A job that reads from its terminal, or changes its settings, is stopped at once and answers nothing.
        await AssertEditIsServedAsync(app, starts);

        await app.SignalAsync("TERM", await GetProcessIdAsync(app));
        Assert.Equal(0, await app.WaitForExitAsync(Limit));
    }

    [Fact]
    public async Task BrokenPipe_Edits_AreServed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Uses a shell of Unix.");
        using var starts = new StartAnnouncements();
        await using var app = LaunchByShell("\"$@\" | head -n 1", starts);
        await AssertEditIsServedAsync(app, starts);

        project.EditGreeting("edited", "edited again");
        await starts.NextAsync();

        Assert.Equal("edited again", await app.GetAsync("/"));
        Assert.Single(app.Console.Since(0));
    }

    [Fact]
    public async Task OutputThatNobodyReads_Edit_IsServed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A pipe takes 64 kB there.");
        using var starts = new StartAnnouncements();
        await using var app = LaunchByShell("{ head -c 65536 /dev/zero; exec \"$@\"; } | exec tail -f /dev/null", starts);

        await AssertEditIsServedAsync(app, starts);

        await app.SignalAsync("TERM", await GetProcessIdAsync(app));
    }

    [Fact]
    public async Task OutputIsNoTerminal_AnyLine_IsPlainText()
    {
        var colourful = new Dictionary<string, string>
        {
            ["DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION"] = "1",
            ["FORCE_COLOR"] = "1",
            ["TERM"] = "xterm-256color",
            ["MSBUILDTERMINALLOGGER"] = "on",
        };
        await using var app = ReloadableApp.Launch(project, colourful, Application);
        await app.WaitUntilListeningAsync();
        await app.WaitUntilReadyAsync();

        await app.ReloadAsync(() => project.EditGreeting("original", "edited"));
        await app.ExpectAsync("1 error", () => project.InsertAtStart("missing();"));
        var error = await app.ExpectAsync(
            "error RED1", () => project.Replace("App.csproj", "</Project>", "<Target Name=\"Fail\" BeforeTargets=\"CoreCompile\"><Error Code=\"RED1\" Text=\"failed\" /></Target></Project>"));

        Assert.StartsWith(project.PathOf("App.csproj"), error, StringComparison.Ordinal);
        Assert.DoesNotContain(app.Console.Since(0), line => line.Contains('\e', StringComparison.Ordinal));
    }

    private ReloadableApp LaunchByShell(string script, StartAnnouncements starts, params string[] arguments) =>
        ReloadableApp.Launch(project, NothingMore, ["/bin/sh", "-c", script, "sh", .. Application, starts.Argument, .. arguments]);

    private async Task AssertEditIsServedAsync(ReloadableApp app, StartAnnouncements starts, bool begun = false)
    {
        if (!begun)
        {
            await app.WaitUntilListeningAsync(starts);
        }

        Assert.Equal("original", await app.GetAsync("/"));
        project.EditGreeting("original", "edited");
        await starts.NextAsync();
        Assert.Equal("edited", await app.GetAsync("/"));
        Assert.Equal(1, await app.GetGenerationAsync());
    }

    private static async Task<int> GetProcessIdAsync(ReloadableApp app) => int.Parse(await app.GetAsync("/pid"), CultureInfo.InvariantCulture);
}
