using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>A version that compiles and does not start, whatever the reason: the last good one serves again, and the next edit has its chance.</summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class FailedStartTests(ReloadableProject project, FailedStartTests.App shared) : IClassFixture<FailedStartTests.App>, IAsyncLifetime
{
    private const string AgainServes = "does not start; the last good version serves again";

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
    [InlineData("without a host", "app.Run();", "app.Urls.Clear();", "ended with exit code 0 before a host had started")]
    [InlineData("with an exit code", "app.Run();", "try { throw new InvalidOperationException(); } catch (Exception) { return 1; }\napp.Run(); return 0;", "ended with exit code 1 before a host had started")]
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

    [Fact]
    public async Task SecondEndpointTaken_UnderLoad_LosesNoRequestAndKeepsTheFirst()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        await using var traffic = new Traffic(Process.Address, 4, answer => Assert.Equal(200, answer.Status));
        var urls = string.Create(
            CultureInfo.InvariantCulture,
            $"app.Urls.Add(\"http://127.0.0.1:0\"); app.Urls.Add(\"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}\");\napp.Run();");

        var mark = Process.Console.Count;
        await Process.ExpectAsync(AgainServes, () => project.Replace("Program.cs", "app.Run();", urls));
        await Process.Console.WaitForAsync("address already in use", mark);
        await Process.ReloadAsync(() =>
        {
            project.Restore();
            project.EditGreeting("original", "mended");
        });

        using var fresh = new KeepAliveClient(Process.Address);
        Assert.Equal("mended", (await fresh.GetAsync("/", TestContext.Current.CancellationToken)).Body);
        await traffic.StopAsync();
    }

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
