using System.Globalization;
using System.Net;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Hosts;

/// <summary>How a host is written decides how the reloader gets into it. It gets into each.</summary>
[Collection(nameof(HostApps))]
public sealed class HostStyleTests(HostApps.Built apps)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task HostingStartup_ApplicationThatKnowsNothingOfIt_IsReloadedWithoutClosingThePort()
    {
        await using var app = await ReloadableApp.RunAsync(apps.Minimal, HostApps.Built.HostingStartup);
        Assert.Equal(0, await app.GetGenerationAsync());

        for (var version = 2; version <= 3; version++)
        {
            var edited = version;
            await app.ReloadAsync(() => apps.Minimal.Replace("Program.cs", $"body: v{edited - 1}", $"body: v{edited}"));

            Assert.Equal($"body: v{version}", await app.GetAsync("/"));
            Assert.Equal(version - 1, await app.GetGenerationAsync());
        }

        Assert.DoesNotContain(app.Console.Since(0), line => line.Contains("closes", StringComparison.Ordinal));
        Assert.Single(app.AddressesSince(0).Distinct());
    }

    [Fact]
    public async Task HostingStartup_BesideTheCallsInTheApplication_ChangesNothing()
    {
        await using var app = await ReloadableApp.RunAsync(apps.TwoHosts, HostApps.Built.HostingStartup, AdminUrl());
        await app.ReloadAsync(() => apps.TwoHosts.Replace("Program.cs", "body: v1", "body: v2"));

        Assert.Equal("body: v2", await app.GetAsync("/"));
        Assert.Equal(1, await app.GetGenerationAsync());
        Assert.Single(app.Console.Since(0), line => line.StartsWith("dev reloader: watching", StringComparison.Ordinal));
    }

    [Fact]
    public async Task HostingStartup_InProduction_DoesNothingAndSaysNothing()
    {
        await using var app = ReloadableApp.Launch(
            apps.Minimal,
            new Dictionary<string, string>(HostApps.Built.HostingStartup)
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Production",
                ["DOTNET_ENVIRONMENT"] = "Production",
            },
            ReloadableProject.Dotnet, "exec", apps.Minimal.AssemblyPath);
        await app.WaitUntilListeningAsync();

        using var response = await app.Client.GetAsync("/", Token);
        await app.SignalAsync("TERM");
        Assert.Equal(0, await app.WaitForExitAsync());

        Assert.False(response.Headers.Contains(ReloadableApp.Generation));
        Assert.DoesNotContain(app.Console.Since(0), line => line.Contains("dev reloader", StringComparison.Ordinal));
    }

    [Fact]
    public async Task StartupClass_ServerConfiguredBehindIt_KeepsThePortAndTheConnections()
    {
        await using var app = await ReloadableApp.RunAsync(apps.Startup);
        await using var client = await RawHttpClient.ConnectAsync(app.Address);
        await client.SendGetAsync("/");
        await client.ReadUntilAsync("body: v1");
        Assert.Equal("controller: v1", await app.GetAsync("/notes"));

        await app.ReloadAsync(() => apps.Startup.Replace("NotesController.cs", "controller: v1", "controller: v2"));
        Assert.Equal("controller: v2", await app.GetAsync("/notes"));
        await client.SendGetAsync("/notes");
        await client.ReadUntilAsync("controller: v2");
        await app.ReloadAsync(() => apps.Startup.Replace("Startup.cs", "start-up: v1", "start-up: v2"));
        Assert.Equal("start-up: v2", await app.GetAsync("/start-up"));

        Assert.Single(app.AddressesSince(0).Distinct());
        Assert.DoesNotContain(app.Console.Since(0), line => line.Contains("closes", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TwoWebHosts_Edit_ReloadsOneAndStartsTheOtherAgain()
    {
        var url = AdminUrl();
        await using var app = await ReloadableApp.RunAsync(apps.TwoHosts, null, url);
        using var admin = new HttpClient { BaseAddress = new Uri(url[(url.IndexOf('=', StringComparison.Ordinal) + 1)..]) };
        Assert.Equal("admin: v1", await admin.GetStringAsync("/", Token));
        Assert.Equal("Development", await app.GetAsync("/bootstrap"));

        for (var version = 2; version <= 3; version++)
        {
            var edited = version;
            await app.ReloadAsync(() => apps.TwoHosts.Replace("Program.cs", $": v{edited - 1}", $": v{edited}"));

            Assert.Equal($"body: v{version}", await app.GetAsync("/"));
            Assert.Equal($"admin: v{version}", await admin.GetStringAsync("/", Token));
            Assert.Equal("Development", await app.GetAsync("/bootstrap"));
        }

        Assert.Single(app.AddressesSince(0).Distinct(), address => address == app.Address.OriginalString);
        Assert.Contains(app.Console.Since(0), line => line.StartsWith("dev reloader: 1 more host of this process", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Worker_WithOneLine_IsReloadedAndEndsAsAlways()
    {
        await using var app = await ReloadableApp.RunAsync(apps.Worker);
        var first = await app.Console.WaitForAsync("worker: v1 in process ");
        var mark = app.Console.Count;

        await app.ReloadAsync(() => apps.Worker.Replace("Clock.cs", "worker: v1", "worker: v2"));
        var second = await app.Console.WaitForAsync("worker: v2 in process ", mark);
        apps.Worker.Write("Second.cs", """
            namespace Worker;

            internal sealed class Second : BackgroundService
            {
                protected override Task ExecuteAsync(CancellationToken stoppingToken)
                {
                    Console.WriteLine("second worker: started");
                    return Task.CompletedTask;
                }
            }
            """);
        apps.Worker.Replace("Program.cs", "builder.Build()", "builder.Services.AddHostedService<Second>();\nbuilder.Build()");
        await app.Console.WaitForAsync("second worker: started", mark);

        var process = first.Split(' ')[^1];
        Assert.Equal(process, second.Split(' ')[^1]);
        await app.SignalAsync("TERM", int.Parse(process, CultureInfo.InvariantCulture));
        Assert.Equal(0, await app.WaitForExitAsync());
    }

    [Fact]
    public async Task Worker_ThatDoesNotStart_IsReplacedByTheLastGoodVersion()
    {
        await using var app = await ReloadableApp.RunAsync(apps.Worker);
        var mark = app.Console.Count;

        await app.ExpectAsync("serves again", () => apps.Worker.Replace(
            "Program.cs", "builder.Build()", "builder.Services.AddHostedService(_ => (IHostedService)(object)\"\");\nbuilder.Build()"));
        await app.Console.WaitForAsync("worker: v1 in process ", mark);

        await app.ReloadAsync(() => apps.Worker.Restore());
    }

    private static string AdminUrl() =>
        string.Create(CultureInfo.InvariantCulture, $"--AdminUrl=http://{IPAddress.Loopback}:{ServerProgram.FreePort()}");
}
