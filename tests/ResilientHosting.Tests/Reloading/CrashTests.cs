using System.Net;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>A generation that fails while it serves: the process stays, requests are answered with the reason, an edit mends it.</summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class CrashTests(ReloadableProject project)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("thread")]
    [InlineData("async-void")]
    [InlineData("timer")]
    [InlineData("work-item")]
    [InlineData("background-service")]
    [InlineData("end?how=exception")]
    public async Task Exception_OfAnyGeneration_IsAnsweredAndMendedByAnEdit(string where)
    {
        await using var app = await ReloadableApp.StartAsync(project);
        using var client = new KeepAliveClient(app.Address);
        var greeting = "original";
        foreach (var generation in new[] { 0, 1 })
        {
            var answer = await client.GetAsync("/", Token);
            Assert.Equal((200, greeting), (answer.Status, answer.Body));

            await CrashAsync(app, where, $"generation {generation} crashed; waiting for the next edit");
            await app.Console.WaitForAsync($"System.InvalidOperationException: failed: {where.Split('?')[0]}");

            // On the connection that was open all along, and on a new one.
            await AssertAnsweredWithAsync(client, "The application has crashed.");
            using var another = new KeepAliveClient(app.Address);
            await AssertAnsweredWithAsync(another, $"failed: {where.Split('?')[0]}");

            var mended = $"mended after generation {generation}";
            Assert.Equal(generation + 1, await app.ReloadAsync(() => project.EditGreeting(greeting, mended)));
            greeting = mended;
        }

        Assert.Equal(greeting, (await client.GetAsync("/", Token)).Body);
        await app.SignalAsync("TERM");
        Assert.Equal(0, await app.WaitForExitAsync(Limit));
    }

    [Fact]
    public async Task ExitCodeOtherThanZero_OfAnyGeneration_IsACrash()
    {
        await using var app = await ReloadableApp.StartAsync(project);
        using var client = new KeepAliveClient(app.Address);
        await CrashAsync(app, "end?how=7", "generation 0 ended with exit code 7; waiting for the next edit");
        await AssertAnsweredWithAsync(client, "generation 0 ended with exit code 7.");

        await app.ReloadAsync(() => project.EditGreeting("original", "mended"));
        Assert.Equal("mended", (await client.GetAsync("/", Token)).Body);
        await app.ReloadAsync(() => project.Replace("Program.cs", "Failures.AtTheEnd();", "return 9;"));

        await CrashAsync(app, "end?how=", "generation 2 ended with exit code 9; waiting for the next edit");
        await AssertAnsweredWithAsync(client, "generation 2 ended with exit code 9.");
        await app.SignalAsync("INT");
        Assert.Equal(9, await app.WaitForExitAsync(Limit));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task ExitCodeZero_OfAnyGeneration_EndsTheProcess(int generation)
    {
        await using var app = await ReloadableApp.StartAsync(project);
        for (var reload = 0; reload < generation; reload++)
        {
            await app.ReloadAsync(() => project.EditGreeting("original", "edited"));
        }

        await app.PostAsync("/fail/end?how=0");

        Assert.Equal(0, await app.WaitForExitAsync(Limit));
    }

    [Fact]
    public async Task CompileErrorAfterACrash_ThenAFix_IsServed()
    {
        await using var app = await ReloadableApp.StartAsync(project);
        using var client = new KeepAliveClient(app.Address);
        await CrashAsync(app, "thread", "generation 0 crashed; waiting for the next edit");

        await app.ExpectAsync("1 error", () => project.InsertAtStart("missing();"));
        await AssertAnsweredWithAsync(client, "failed: thread");
        await app.ExpectAsync("does not start; the last good version serves again", () => project.Replace("Program.cs", "missing();", "throw new Exception();"));

        // The version that crashed had been good for a while.
        Assert.Equal("original", (await client.GetAsync("/", Token)).Body);
        await app.ReloadAsync(() => 
        {
            project.Restore();
            project.EditGreeting("original", "mended");
        });
        Assert.Equal("mended", (await client.GetAsync("/", Token)).Body);
    }

    [Theory]
    [InlineData("new Thread(() => Late()).Start();")]
    [InlineData("ThreadPool.QueueUserWorkItem(_ => Late());")]
    [InlineData("_ = new Timer(_ => Late(), null, 0, Timeout.Infinite);")]
    [InlineData("Forget(); async void Forget() { await Task.Yield(); Late(); }")]
    public async Task LateException_OfARetiredGeneration_IsOneLineAndNothingMore(string statement)
    {
        using var gate = new StartGate();
        await using var app = await ReloadableApp.StartAsync(project);
        project.InsertAtStart($"{statement} void Late() {{ {gate.Statement} throw new InvalidOperationException(\"too late\"); }}");
        using (await gate.ReachedAsync())
        {
            await app.Console.WaitForAsync("-> generation 1 ");
            await app.ReloadAsync(() =>
            {
                project.Restore();
                project.EditGreeting("original", "without");
            });
        }

        var line = await app.Console.WaitForAsync("too late");

        Assert.StartsWith(
            "dev reloader: generation 1 is retired; its late exception is ignored: System.InvalidOperationException: too late at Program.",
            line,
            StringComparison.Ordinal);
        Assert.Equal("without", await app.GetAsync("/"));
        Assert.Equal(2, await app.GetGenerationAsync());
    }

    [Fact]
    public async Task UseDevReloaderAlone_ExceptionInGenerationZero_IsAnsweredAndMended()
    {
        await using var app = await ReloadableApp.StartAsync(project, "--AddDevReloader=false");
        using var client = new KeepAliveClient(app.Address);
        await CrashAsync(app, "thread", "generation 0 crashed; waiting for the next edit");
        await AssertAnsweredWithAsync(client, "failed: thread");

        var mark = app.Console.Count;
        await app.ReloadAsync(() => project.EditGreeting("original", "mended"));
        await app.WaitUntilListeningAsync(mark);
        Assert.Equal("mended", await app.GetAsync("/"));
    }

    private static async Task CrashAsync(ReloadableApp app, string where, string line)
    {
        var mark = app.Console.Count;
        await app.PostAsync("/fail/" + where);
        await app.Console.WaitForAsync(line, mark);
    }

    private static async Task AssertAnsweredWithAsync(KeepAliveClient client, string text)
    {
        var answer = await client.GetAsync("/", Token);
        Assert.Equal((int)HttpStatusCode.ServiceUnavailable, answer.Status);
        Assert.Contains(text, answer.Body, StringComparison.Ordinal);
        Assert.NotNull(answer.Generation);
    }
}
