using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>A version that compiles and does not start, whatever the reason: the last good one serves again, and the next edit has its chance.</summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class FailedStartTests(ReloadableProject project, FailedStartTests.App shared) : IClassFixture<FailedStartTests.App>, IAsyncLifetime
{
    private const string AgainServes = "does not start; the last good version serves again";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ReloadableApp Process => shared.Process;

    public async ValueTask InitializeAsync() => await Process.ResetAsync(project);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("before the host is built", "var builder", "throw new InvalidOperationException(\"no start\");\nvar builder", "no start")]
    [InlineData("in Build", "var app = ", "builder.Services.AddSingleton<Broken>();\nvar app = ", "Broken")]
    [InlineData("in a middleware's constructor", "app.MapFailures();", "app.UseMiddleware<FailingMiddleware>();\napp.MapFailures();", "no middleware")]
    [InlineData("in StartAsync", "var app = ", "builder.Services.AddHostedService<FailingStart>();\nvar app = ", "no service")]
    [InlineData("in StartedAsync", "var app = ", "builder.Services.AddHostedService<FailingAfterStart>();\nvar app = ", "no service after all")]
    [InlineData("on a thread", "app.Run();", "new Thread(() => throw new InvalidOperationException(\"no thread\")).Start(); Thread.Sleep(Timeout.Infinite);\napp.Run();", "no thread")]
    [InlineData("in a background service", "var app = ", "builder.Services.AddHostedService<FailingBackground>();\nbuilder.Services.AddHostedService<Waiting>();\nvar app = ", "no background")]
    [InlineData("without a host", "app.Run();", "app.Urls.Clear();", "ended with exit code 0 before a web host had started")]
    [InlineData("with an exit code", "app.Run();", "try { throw new InvalidOperationException(); } catch (Exception) { return 1; }\napp.Run(); return 0;", "ended with exit code 1 before a web host had started")]
    [InlineData("aborted", "app.Run();", "throw new HostAbortedException(\"no host\");", "no host")]
    public async Task FailedStart_UnderLoad_LosesNoRequestAndLeavesTheNextEditItsChance(string where, string oldText, string newText, string reason)
    {
        Assert.NotEmpty(where);
        await using var traffic = new Traffic(Process.Address, 4, answer => Assert.Equal(200, answer.Status));
        project.Write("Broken.cs", BrokenTypes);
        var mark = Process.Console.Count;
        await Process.ExpectAsync(AgainServes, () => project.Replace("Program.cs", oldText, newText));
        Assert.Contains(Process.Console.Since(mark), line => line.Contains(reason, StringComparison.Ordinal));
        Assert.Equal("original", await Process.GetAsync("/"));

        await Process.ReloadAsync(() =>
        {
            project.Replace("Program.cs", newText, oldText);
            project.EditGreeting("original", "mended");
        });

        Assert.Equal("mended", await Process.GetAsync("/"));
        Assert.InRange(await traffic.StopAsync(), 1, int.MaxValue);
    }

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

    [Fact]
    public async Task ChangesToTheProcess_ByAGeneration_AreUndoneBeforeTheNext()
    {
        await using var app = await ReloadableApp.StartAsync(project);
        const string Show = """
            app.MapGet("/process", () => string.Join('|',
                Environment.CurrentDirectory, Environment.GetEnvironmentVariable("ADDED"), Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT"),
                Environment.GetEnvironmentVariable("ASPNETCORE_URLS"), Environment.ExitCode, System.Globalization.CultureInfo.CurrentCulture.Name));
            """;
        await app.ReloadAsync(() => project.Replace("Program.cs", "app.MapFailures();", Show + "\napp.MapFailures();"));
        var before = await app.GetAsync("/process");
        Assert.StartsWith(project.Folder + "||Development|http://127.0.0.1:0|0|", before, StringComparison.Ordinal);

        const string Change = """
            Environment.CurrentDirectory = "/";
            Environment.SetEnvironmentVariable("ADDED", "added");
            Environment.SetEnvironmentVariable("ASPNETCORE_ENVIRONMENT", "Staging");
            Environment.SetEnvironmentVariable("ASPNETCORE_URLS", null);
            Environment.ExitCode = 5;
            System.Globalization.CultureInfo.DefaultThreadCurrentCulture = new System.Globalization.CultureInfo("fr-FR");
            app.MapFailures();
            """;
        await app.ReloadAsync(() => project.Replace("Program.cs", "app.MapFailures();", Change));
        Assert.Equal("/|added|Staging||5|fr-FR", await app.GetAsync("/process"));

        await app.ReloadAsync(() => project.Replace("Program.cs", Change, "app.MapFailures();"));
        Assert.Equal(before, await app.GetAsync("/process"));
    }

    private static (int, string?, string) Shape(Answer answer) => (answer.Status, answer.Generation, answer.Body);

    private const string BrokenTypes = """
        internal sealed class Broken { public Broken(IServiceScopeFactory scopes, Missing missing) { } }
        internal sealed class Missing;
        internal sealed class FailingMiddleware { public FailingMiddleware(RequestDelegate next) => throw new InvalidOperationException("no middleware"); public Task InvokeAsync(HttpContext context) => Task.CompletedTask; }
        internal sealed class FailingStart : IHostedService
        {
            public Task StartAsync(CancellationToken stop) => throw new InvalidOperationException("no service");
            public Task StopAsync(CancellationToken stop) => Task.CompletedTask;
        }
        internal sealed class FailingAfterStart : IHostedLifecycleService
        {
            public Task StartingAsync(CancellationToken stop) => Task.CompletedTask;
            public Task StartAsync(CancellationToken stop) => Task.CompletedTask;
            public Task StartedAsync(CancellationToken stop) => throw new InvalidOperationException("no service after all");
            public Task StoppingAsync(CancellationToken stop) => Task.CompletedTask;
            public Task StopAsync(CancellationToken stop) => Task.CompletedTask;
            public Task StoppedAsync(CancellationToken stop) => Task.CompletedTask;
        }
        internal sealed class FailingBackground : BackgroundService
        {
            protected override Task ExecuteAsync(CancellationToken stop) => throw new InvalidOperationException("no background");
        }
        internal sealed class Waiting : IHostedService
        {
            public Task StartAsync(CancellationToken stop) => Task.Delay(Timeout.Infinite, stop);
            public Task StopAsync(CancellationToken stop) => Task.CompletedTask;
        }
        """;

    public sealed class App(ReloadableProject project) : IAsyncLifetime
    {
        private ReloadableApp? _process;

        public ReloadableApp Process => _process ?? throw new InvalidOperationException("Not started.");

        public async ValueTask InitializeAsync() => _process = await ReloadableApp.StartAsync(project);

        public async ValueTask DisposeAsync()
        {
            if (_process is not null)
            {
                await _process.DisposeAsync();
            }
        }
    }
}
