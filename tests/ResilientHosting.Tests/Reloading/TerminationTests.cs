using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Whatever the reloader is doing, a process that is told to end does so, quickly and with the application's exit code.</summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class TerminationTests(ReloadableProject project)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Signal_InGenerationZero_EndsTheProcess(string signal)
    {
        await using var app = ReloadableApp.Launch(project);
        await app.WaitUntilListeningAsync();

        await app.SignalAsync(signal);

        Assert.Equal(0, await app.WaitForExitAsync(Limit));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Signal_InALaterGeneration_EndsTheProcess(string signal)
    {
        await using var app = await ReloadableApp.StartAsync(project);
        await app.ReloadAsync(() => project.EditGreeting("original", "one"));
        await app.ReloadAsync(() => project.EditGreeting("one", "two"));

        await app.SignalAsync(signal);

        Assert.Equal(0, await app.WaitForExitAsync(Limit));
        await app.Console.WaitForAsync("application: stopping");
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Signal_WhileTheNextGenerationIsStarting_EndsTheProcess(string signal)
    {
        using var gate = new StartGate();
        await using var app = await ReloadableApp.StartAsync(project);
        project.InsertAtStart(gate.Statement);
        using var held = await gate.ReachedAsync();
        await using var waiting = await RawHttpClient.ConnectAsync(app.Address);
        await waiting.SendGetAsync("/");

        await app.SignalAsync(signal);

        Assert.Equal(0, await app.WaitForExitAsync(Limit));
    }

    [Fact]
    public async Task Signal_WhileTheOldGenerationIsStopping_EndsTheProcess()
    {
        await using var app = await ReloadableApp.StartAsync(project);
        await app.ReloadAsync(() => project.Replace(
            "Program.cs",
            "Console.WriteLine(\"application: stopping\")",
            "{ Console.WriteLine(\"application: stopping for ever\"); Thread.Sleep(Timeout.Infinite); }"));
        await app.ExpectAsync("application: stopping for ever", () => project.EditGreeting("original", "never served"));

        await app.SignalAsync("TERM");

        Assert.Equal(0, await app.WaitForExitAsync(Limit));
    }
}
