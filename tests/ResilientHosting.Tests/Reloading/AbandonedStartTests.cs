using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Starts that never end, or that leave nothing to serve.</summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class AbandonedStartTests(ReloadableProject project)
{
    private const string AgainServes = "does not start; the last good version serves again";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("before the host is built", "var builder")]
    [InlineData("before it runs", "app.Run();")]
    public async Task HangingStart_IsGivenUpAndNeverServes(string where, string statement)
    {
        Assert.NotEmpty(where);
        await using var app = await ReloadableApp.StartAsync(project, "--DevReloader:StartTimeout=00:00:02");
        using var gate = new StartGate();
        await using var traffic = new Traffic(app.Address, 4, answer => Assert.Equal(200, answer.Status));
        project.Write("Program.cs", (await File.ReadAllTextAsync(project.PathOf("Program.cs"), Token))
            .Replace(statement, $"try {{ {gate.Statement} }} finally {{ Console.WriteLine(\"let through\"); }}\n{statement}", StringComparison.Ordinal)
            .Replace("\"original\"", "\"from the one that hung\"", StringComparison.Ordinal));
        using (await gate.ReachedAsync())
        {
            await app.Console.WaitForAsync("generation 1 does not react to being stopped and is left behind");
            await app.Console.WaitForAsync(AgainServes);
            Assert.Equal("original", await app.GetAsync("/"));
            Assert.Equal(2, await app.GetGenerationAsync());
        }

        // It goes on now, and takes nothing from the one that serves.
        await app.Console.WaitForAsync("let through");
        await app.Console.WaitForAsync("generation 1 has ended at last");
        using var fresh = new KeepAliveClient(app.Address);
        Assert.Equal((200, "2", "original"), Shape(await fresh.GetAsync("/", Token)));

        await app.ReloadAsync(() =>
        {
            project.Restore();
            project.EditGreeting("original", "mended");
        });
        Assert.Equal((200, "3", "mended"), Shape(await fresh.GetAsync("/", Token)));
        await traffic.StopAsync();
    }

    [Fact]
    public async Task NeitherVersionStarts_RequestsAreAnswered_AndTheNextEditIsServed()
    {
        using var folder = new TemporaryFolder();
        var marker = folder.Write("may start", "");
        await using var app = await ReloadableApp.StartAsync(project);
        using var client = new KeepAliveClient(app.Address);
        await app.ReloadAsync(() => project.InsertAtStart($"if (!File.Exists(@\"{marker}\")) throw new InvalidOperationException(\"no marker\");"));

        File.Delete(marker);
        await app.ExpectAsync(
            "neither this version nor the last good one starts; waiting for the next edit", () => project.EditGreeting("original", "edited"));

        foreach (var one in new[] { client, new KeepAliveClient(app.Address) })
        {
            var answer = await one.GetAsync("/", Token);
            Assert.Equal(503, answer.Status);
            Assert.Contains("no marker", answer.Body, StringComparison.Ordinal);
        }

        await app.ReloadAsync(() => project.Restore());
        Assert.Equal("original", (await client.GetAsync("/", Token)).Body);
    }

    [Fact]
    public async Task NeitherVersionStarts_Signal_EndsTheProcess()
    {
        using var folder = new TemporaryFolder();
        var marker = folder.Write("may start", "");
        await using var app = await ReloadableApp.StartAsync(project);
        await app.ReloadAsync(() => project.InsertAtStart($"if (!File.Exists(@\"{marker}\")) throw new InvalidOperationException(\"no marker\");"));
        File.Delete(marker);
        await app.ExpectAsync("neither this version nor the last good one starts", () => project.EditGreeting("original", "edited"));

        await app.SignalAsync("TERM");

        Assert.Equal(1, await app.WaitForExitAsync(Limit));
    }

    [Fact]
    public async Task EnvironmentExit_DuringAStart_EndsTheProcess()
    {
        await using var app = await ReloadableApp.StartAsync(project);

        project.InsertAtStart("Environment.Exit(6);");

        Assert.Equal(6, await app.WaitForExitAsync(Limit));
    }

    private static (int, string?, string) Shape(Answer answer) => (answer.Status, answer.Generation, answer.Body);
}
