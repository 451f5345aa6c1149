using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Processes;

/// <summary>
/// Whatever the reloader is doing, a process that is told to end does so, quickly, with the application's exit code, and leaves nothing
/// behind that it has started.
/// </summary>
[Collection(nameof(LifetimeProcesses))]
public sealed class TerminationTests(ReloadableProject project)
{
    private const string Stopping = "() => Console.WriteLine(\"application: stopping\")";

    // Twice what is promised: the machine may be busy with other tests.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("QUIT")]
    [InlineData("HUP")]
    public async Task Signal_WithAndWithoutTheReloader_EndsTheProcessAlike(string signal)
    {
        var codes = new List<int>();
        foreach (var reloader in new[] { false, true })
        {
            await using var app = ReloadableApp.Launch(project, $"--UseDevReloader={reloader}", $"--AddDevReloader={reloader}");
            await app.WaitUntilListeningAsync();
            await app.PostAsync("/fail/at-the-end?how=7");

            await app.SignalAsync(signal);

            codes.Add(await app.WaitForExitAsync(Limit));
            await app.AssertNoOrphansAsync();
        }

        Assert.Equal(signal == "HUP" ? [128 + 1, 128 + 1] : [7, 7], codes);
    }

    [Theory]
    [InlineData("TERM", 9)]
    [InlineData("INT", 9)]
    [InlineData("QUIT", 9)]
    [InlineData("HUP", 128 + 1)]
    public async Task Signal_InALaterGeneration_EndsTheProcessWithItsCode(string signal, int exitCode)
    {
        await using var app = await ReloadableApp.StartAsync(project);
        await app.ReloadAsync(() => project.EditGreeting("original", "one"));
        await app.ReloadAsync(() => project.Replace("Program.cs", "Failures.AtTheEnd();", "return 9;"));

        await app.SignalAsync(signal);

        Assert.Equal(exitCode, await app.WaitForExitAsync(Limit));
        Assert.Equal(signal == "HUP" ? 2 : 3, app.Console.Since(0).Count(line => line == "application: stopping"));
    }

    [Theory]
    [InlineData("TERM", 0)]
    [InlineData("INT", 0)]
    [InlineData("HUP", 128 + 1)]
    public async Task Signal_WhileMSBuildIsAsked_EndsBoth(string signal, int exitCode)
    {
        RequireBash();
        using var gate = new StartGate();
        project.Restore();
        project.Replace("App.csproj", "</Project>", gate.Target + "</Project>");
        await using var app = ReloadableApp.Launch(
            project.Folder, new Dictionary<string, string>(), ReloadableProject.Dotnet, "exec", project.AssemblyPath);
        using var held = await gate.ReachedAsync();

        await app.SignalAsync(signal);

        Assert.Equal(exitCode, await app.WaitForExitAsync(Limit));
        await StartGate.LeftAsync(held, Limit);
        await app.AssertNoOrphansAsync();
    }

    [Theory]
    [InlineData("TERM", 0)]
    [InlineData("INT", 0)]
    [InlineData("QUIT", 0)]
    [InlineData("HUP", 128 + 1)]
    public async Task Signal_DuringARealBuild_EndsBoth(string signal, int exitCode)
    {
        RequireBash();
        using var gate = new StartGate();
        await using var app = await StartWithOneReloadAsync();
        project.Replace("App.csproj", "</Project>", gate.Target + "</Project>");
        using var held = await gate.ReachedAsync();

        await app.SignalAsync(signal);

        Assert.Equal(exitCode, await app.WaitForExitAsync(Limit));
        await StartGate.LeftAsync(held, Limit);
        await app.AssertNoOrphansAsync();
    }

    [Fact]
    public async Task CtrlCInATerminal_DuringARealBuild_EndsBothAndBlamesNobody()
    {
        RequireBash();
        using var gate = new StartGate();
        await using var app = ReloadableApp.Launch(
            project, new Dictionary<string, string>(), TestTerminal.CommandLine(ReloadableProject.Dotnet, "exec", project.AssemblyPath));
        await app.WaitUntilListeningAsync();
        await app.WaitUntilReadyAsync();
        project.Replace("App.csproj", "</Project>", gate.Target + "</Project>");
        using var held = await gate.ReachedAsync();

        await app.SignalAsync(TestTerminal.CtrlC);

        Assert.Equal(0, await app.WaitForExitAsync(Limit));
        await StartGate.LeftAsync(held, Limit);
        await app.AssertNoOrphansAsync();
        Assert.DoesNotContain(app.Console.Since(0), line => line.Contains("error", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Signal_WhileTheOldGenerationIsStopping_LetsItFinish(string signal)
    {
        using var gate = new StartGate();
        await using var app = await ReloadableApp.StartAsync(project);
        await app.ReloadAsync(() => project.Write("Program.cs", project.Original("Program.cs")
            .Replace("Failures.AtTheEnd();", "return 9;", StringComparison.Ordinal)
            .Replace(Stopping, $"() => {{ {gate.Statement} Console.WriteLine(\"application: stopped\"); }}", StringComparison.Ordinal)));
        project.EditGreeting("original", "never served");
        using (await gate.ReachedAsync())
        {
            await app.SignalAsync(signal);
        }

        Assert.Equal(9, await app.WaitForExitAsync(Limit));
        await app.Console.WaitForAsync("application: stopped");
    }

    [Fact]
    public async Task Signal_WhileTheOldGenerationIsStoppingForEver_EndsTheProcess()
    {
        await using var app = await ReloadableApp.StartAsync(project);
        await app.ReloadAsync(() => project.Replace(
            "Program.cs", Stopping, "() => { Console.WriteLine(\"application: stopping for ever\"); Thread.Sleep(Timeout.Infinite); }"));
        await app.ExpectAsync("application: stopping for ever", () => project.EditGreeting("original", "never served"));

        await app.SignalAsync("TERM");

        Assert.Equal(0, await app.WaitForExitAsync(Limit));
        await app.Console.WaitForAsync("the process ends without it");
    }

    [Fact]
    public async Task Signal_AnApplicationThatNeverStops_EndsTheProcess()
    {
        await using var app = await ReloadableApp.StartAsync(project);
        await app.ReloadAsync(() => project.Replace("Program.cs", Stopping, "() => Thread.Sleep(Timeout.Infinite)"));

        await app.SignalAsync("TERM");

        Assert.Equal(0, await app.WaitForExitAsync(Limit));
        await app.Console.WaitForAsync("the process ends without it");
    }

    [Fact]
    public async Task CtrlCAgain_WhileTheApplicationIsStopping_EndsTheProcessAtOnce()
    {
        using var gate = new StartGate();
        await using var app = await ReloadableApp.StartAsync(project);
        await app.ReloadAsync(() => project.Replace("Program.cs", Stopping, $"() => {{ {gate.Statement} }}"));
        await app.SignalAsync("INT");
        using var held = await gate.ReachedAsync();

        var end = app.WaitForExitAsync(Limit);
        while (!end.IsCompleted)
        {
            // As somebody presses it who is in a hurry; the first to come is taken for an echo.
            await app.TrySignalAsync("INT");
        }

        Assert.Equal(130, await end);
        Assert.DoesNotContain(app.Console.Since(0), line => line.Contains("the process ends without it", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Signal_WhileRequestsAreDrained_EndsTheProcess()
    {
        using var gate = new StartGate();
        await using var app = await ReloadableApp.StartAsync(project, "--DevReloader:DrainTimeout=00:01:00");
        await app.ReloadAsync(() => project.Replace("Program.cs", "app.MapInside();", $"app.MapGet(\"/held\", () => {{ {gate.Statement} }});"));
        await using var client = await RawHttpClient.ConnectAsync(app.Address);
        await client.SendGetAsync("/held");
        using var held = await gate.ReachedAsync();
        await app.ExpectAsync("application: stopping", () => project.EditGreeting("original", "never served"));

        await app.SignalAsync("TERM");

        Assert.Equal(0, await app.WaitForExitAsync(Limit));
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
    public async Task Signal_WhileTheNextGenerationsServicesAreStarting_EndsTheProcess()
    {
        using var gate = new StartGate();
        await using var app = await ReloadableApp.StartAsync(project);
        await app.ReloadAsync(() => project.Write("Slow.cs", $$"""
            internal sealed class Slow : BackgroundService
            {
                protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.CompletedTask;

                public override Task StartAsync(CancellationToken cancellationToken)
                {
                    {{gate.Statement}}
                    return base.StartAsync(cancellationToken);
                }
            }
            """));
        project.Replace("Program.cs", "var app = ", "builder.Services.AddHostedService<Slow>();\nvar app = ");
        using var held = await gate.ReachedAsync();

        await app.SignalAsync("TERM");

        Assert.Equal(0, await app.WaitForExitAsync(Limit));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Signal_WhileTheNextGenerationIsBeingPublished_StopsItInOrder(string signal)
    {
        using var gate = new StartGate();
        await using var app = await ReloadableApp.StartAsync(project);
        project.Replace("Program.cs", "app.Run();", $"app.Lifetime.ApplicationStarted.Register(() => {{ {gate.Statement} }});\napp.Run();");
        int mark;
        using (await gate.ReachedAsync())
        {
            mark = app.Console.Count;
            await app.SignalAsync(signal);
        }

        Assert.Equal(0, await app.WaitForExitAsync(Limit));
        await app.Console.WaitForAsync("application: stopping", mark);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Signal_WhileTheLastGoodVersionIsStartedAgain_EndsTheProcess(string signal)
    {
        using var gate = new StartGate();
        await using var app = await ReloadableApp.StartAsync(project);
        project.InsertAtStart(gate.Statement);
        using (await gate.ReachedAsync())
        {
        }

        await app.Console.WaitForAsync("-> generation 1 ");
        project.Replace("Program.cs", gate.Statement, "throw new InvalidOperationException(\"does not start\");");
        using var held = await gate.ReachedAsync();

        await app.SignalAsync(signal);

        Assert.Equal(0, await app.WaitForExitAsync(Limit));
    }

    [Fact]
    public async Task Signal_WhileAFixIsWaitedFor_EndsTheProcessAsAFailure()
    {
        await using var app = await ReloadableApp.StartAsync(project);
        await app.ReloadAsync(() => project.InsertAtStart(
            "if (AppContext.GetData(\"started\") is not null) { throw new InvalidOperationException(\"not twice\"); } AppContext.SetData(\"started\", 1);"));
        await app.ExpectAsync("neither this version nor the last good one starts", () => project.InsertAtStart("throw new InvalidOperationException(\"never\");"));

        await app.SignalAsync("TERM");

        Assert.Equal(1, await app.WaitForExitAsync(Limit));
    }

    [Theory]
    [InlineData("exit", 0)]
    [InlineData("exit", 1)]
    [InlineData("exit-thread", 0)]
    [InlineData("exit-thread", 1)]
    public async Task EnvironmentExit_OfAnyGenerationDuringARealBuild_EndsBoth(string where, int generation)
    {
        RequireBash();
        using var gate = new StartGate();
        await using var app = generation == 0 ? await ReloadableApp.StartAsync(project) : await StartWithOneReloadAsync();
        project.Replace("App.csproj", "</Project>", gate.Target + "</Project>");
        using var held = await gate.ReachedAsync();
        await using var client = await RawHttpClient.ConnectAsync(app.Address);

        await client.SendPostAsync($"/fail/{where}?code=3", 0, "");

        Assert.Equal(3, await app.WaitForExitAsync(Limit));
        await StartGate.LeftAsync(held, Limit);
        await app.AssertNoOrphansAsync();
    }

    [Theory]
    [InlineData(Stopping, "() => Environment.Exit(6)", "\"original\"", "\"next\"", 6)]
    [InlineData("\"original\"", "\"next\"", "var builder = ", "Environment.Exit(6);\nvar builder = ", 6)]
    [InlineData("\"original\"", "\"next\"", "var builder = ", "var leaving = new Thread(() => Environment.Exit(6)); leaving.Start(); leaving.Join();\nvar builder = ", 6)]
    public async Task EnvironmentExit_InTheMiddleOfASwap_EndsTheProcess(string first, string firstNew, string second, string secondNew, int exitCode)
    {
        await using var app = await ReloadableApp.StartAsync(project);
        await app.ReloadAsync(() => project.Replace("Program.cs", first, firstNew));

        project.Replace("Program.cs", second, secondNew);

        Assert.Equal(exitCode, await app.WaitForExitAsync());
        await app.AssertNoOrphansAsync();
    }

    [Fact]
    public async Task ExceptionThenSignal_DuringARealBuild_EndsBothAsAFailure()
    {
        RequireBash();
        using var gate = new StartGate();
        await using var app = await StartWithOneReloadAsync();
        project.Replace("App.csproj", "</Project>", gate.Target + "</Project>");
        using var held = await gate.ReachedAsync();
        await app.PostAsync("/fail/thread");
        await app.Console.WaitForAsync("crashed; waiting for the next edit");

        await app.SignalAsync("TERM");

        Assert.Equal(1, await app.WaitForExitAsync(Limit));
        await StartGate.LeftAsync(held, Limit);
        await app.AssertNoOrphansAsync();
    }

    private static void RequireBash() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Uses signals and a shell of Unix.");

    private async Task<ReloadableApp> StartWithOneReloadAsync()
    {
        var app = await ReloadableApp.StartAsync(project);
        await app.ReloadAsync(() => project.EditGreeting("original", "one"));
        return app;
    }
}
