using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>How a process with the reloader begins: started in several ways, or misconfigured.</summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class StartTests(ReloadableProject project)
{
    private static readonly Dictionary<string, string> NothingMore = [];

    [Fact]
    public async Task UseDevReloaderAlone_Edits_AreServedAtTheSamePort()
    {
        await using var app = await ReloadableApp.StartAsync(project, "--AddDevReloader=false");
        Assert.Equal(0, await app.GetGenerationAsync());

        // Generation 0's Kestrel is an ordinary one: its port closes with it, and a port of 0 is another one then.
        var mark = app.Console.Count;
        Assert.Equal(1, await app.ReloadAsync(() => project.EditGreeting("original", "one")));
        await app.WaitUntilListeningAsync(mark);
        Assert.Equal("one", await app.GetAsync("/"));

        var port = app.Address.Port;
        await app.ReloadAsync(() => project.EditGreeting("one", "two"));
        Assert.Equal("two", await app.GetAsync("/"));
        Assert.Equal(port, app.Address.Port);
        Assert.Equal(2, await app.GetGenerationAsync());
    }

    [Fact]
    public async Task EditRightAfterTheStart_BeforeTheCompilerIsReady_IsNotLost()
    {
        await using var app = ReloadableApp.Launch(project);
        await app.WaitUntilListeningAsync();
        Assert.Equal("original", await app.GetAsync("/"));

        await app.ReloadAsync(() => project.EditGreeting("original", "early"));

        Assert.Equal("early", await app.GetAsync("/"));
    }

    [Fact]
    public async Task DotnetRun_EditAndTermination_WorkAsWithoutIt()
    {
        await using var app = ReloadableApp.Launch(project, NothingMore, ReloadableProject.Dotnet, "run", "--no-build", "--project", project.Folder);
        await app.WaitUntilListeningAsync();
        await app.WaitUntilReadyAsync();
        await app.ReloadAsync(() => project.EditGreeting("original", "under dotnet run"));
        Assert.Equal("under dotnet run", await app.GetAsync("/"));

        await app.SignalAsync("TERM", int.Parse(await app.GetAsync("/pid"), CultureInfo.InvariantCulture));

        Assert.Equal(0, await app.WaitForExitAsync());
    }

    [Fact]
    public async Task PollingAlone_Edit_IsServed()
    {
        await using var app = await ReloadableApp.StartAsync(project, "--DevReloader:Watch=Polling");

        await app.ReloadAsync(() => project.EditGreeting("original", "found by a sweep"));

        Assert.Equal("found by a sweep", await app.GetAsync("/"));
    }

    [Fact]
    public async Task PortTaken_Start_FailsAndSaysSo()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}");

        await using var app = ReloadableApp.Launch(project, $"--urls={address}");

        Assert.NotEqual(0, await app.WaitForExitAsync());
        await app.Console.WaitForAsync($"Failed to bind to address {address}: address already in use.");
    }

    [Fact]
    public async Task OptionsOutOfRange_Start_FailsAndListsEach()
    {
        await using var app = ReloadableApp.Launch(project, "--DevReloader:QuietPeriod=01:00:00", "--DevReloader:MaxHeldRequests=0");

        Assert.NotEqual(0, await app.WaitForExitAsync());
        var line = await app.Console.WaitForAsync("OptionsValidationException");
        Assert.Contains("QuietPeriod: must be from 00:00:00 to 00:00:10, but is 01:00:00.", line, StringComparison.Ordinal);
        Assert.Contains("MaxHeldRequests: must be at least 1, but is 0.", line, StringComparison.Ordinal);
    }
}
