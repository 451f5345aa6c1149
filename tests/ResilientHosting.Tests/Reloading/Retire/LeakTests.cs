using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Retire;

/// <summary>What keeps a generation in memory and only its author can end, each in a running application: the console names it.</summary>
[Collection(nameof(LifetimeProcesses))]
public sealed class LeakTests(ReloadableProject project, SharedApp shared) : IClassFixture<SharedApp>, IAsyncLifetime
{
    private const string Leaks = """
        using System.Diagnostics;

        internal sealed class Leaks : IObserver<DiagnosticListener>
        {
            public static Timer? Kept;

            public static void Poll()
            {
                while (true)
                {
                    Thread.Sleep(100);
                }
            }

            public static async Task LoopAsync()
            {
                while (true)
                {
                    await Task.Delay(100);
                }
            }

            public void OnNext(DiagnosticListener value) { }
            public void OnCompleted() { }
            public void OnError(Exception error) { }
            public void Touch() { }
        }

        internal sealed class Listener : TraceListener
        {
            public override void Write(string? message) { }
            public override void WriteLine(string? message) { }
        }
        """;

    private ReloadableApp App => shared.App;

    public static TheoryData<string, string, string> Causes { get; } = new()
    {
        { "handler of the process's end", "AppDomain.CurrentDomain.ProcessExit += (_, _) => Console.WriteLine();", "held by event AppDomain.ProcessExit: a lambda in Program.<Main>$;" },
        { "static field of a base library", "System.Diagnostics.Trace.Listeners.Add(new Listener());", "held by static field TraceInternal.s_listeners" },
        { "subscription to all listeners", "System.Diagnostics.DiagnosticListener.AllListeners.Subscribe(new Leaks());", "held by a subscription to DiagnosticListener.AllListeners: Leaks;" },
        { "thread", "new Thread(Leaks.Poll) { IsBackground = true, Name = \"poller\" }.Start();", "held by the thread \"poller\", whose generation starts threads with |Leaks.Poll| (managed thread " },
        { "work on the thread pool", "_ = Task.Run(Leaks.Poll);", "held by work on the thread pool that doesn't end" },
        { "delays in a loop", "_ = Leaks.LoopAsync();", "held by a timer that runs Leaks.LoopAsync;" },
        { "timer", "Leaks.Kept = new Timer(_ => Console.Write(\"\"), null, 1000, 1000);", "held by a timer that runs a lambda in Program.<Main>$;" },
        { "data of the process", "AppContext.SetData(\"leak\", new Leaks());", "held by AppContext.SetData: Leaks;" },
        { "dynamic", "dynamic late = new Leaks(); late.Touch();", "held by C# dynamic" },
    };

    public async ValueTask InitializeAsync() => await App.ResetAsync(project);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [MemberData(nameof(Causes))]
    public async Task Cause_HoldsARetiredGeneration_IsNamed(string what, string statement, string expected)
    {
        Assert.NotEmpty(what);
        var mark = App.Console.Count;
        var leaking = await LiveThroughAsync(() => project.InsertAtStart(statement));

        var line = await App.Console.WaitForAsync($"generation {leaking} has ended but stays in memory", mark);
        Assert.All(expected.Split('|'), part => Assert.True(line.Contains(part, StringComparison.Ordinal), line));
    }

    [Fact]
    public async Task HandlersOfAnHttpClientFactory_WhichGoByThemselves_AreNotMentioned()
    {
        var mark = App.Console.Count;
        var temporary = await LiveThroughAsync(() =>
        {
            project.Replace("Program.cs", "var app = ", "builder.Services.AddHttpClient();\nvar app = ");
            project.Replace("Program.cs", "app.Run();", "app.Services.GetRequiredService<IHttpClientFactory>().CreateClient();\napp.Run();");
        });

        // Both have been looked at once the second is explained.
        var leaking = await LiveThroughAsync(() => project.InsertAtStart("AppContext.SetData(\"a leak of its own\", new Leaks[1]);"));
        await App.Console.WaitForAsync($"generation {leaking} has ended but stays in memory", mark);

        Assert.DoesNotContain(App.Console.Since(mark), line => line.Contains($"generation {temporary} has ended but", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ThreadsWithoutAContext_AreGuessedFromTheCodeOnceThereAreSeveral()
    {
        var mark = App.Console.Count;
        for (var time = 1; time <= 3; time++)
        {
            await LiveThroughAsync(() => project.InsertAtStart("new Thread(Leaks.Poll) { IsBackground = true }.UnsafeStart();"));
        }

        var line = await App.Console.WaitForAsync("held by something that reflection can't reach", mark);
        Assert.Matches("it starts threads with .*Leaks.Poll.*: end them when", line);
    }

    /// <summary>Has an edited application start and retire.</summary>
    /// <returns>The number of its generation.</returns>
    private async Task<int> LiveThroughAsync(Action edit)
    {
        await App.PostAsync("/reloader/pause");
        project.Write("Leaks.cs", Leaks);
        edit();
        var mark = App.Console.Count;
        await App.PostAsync("/reloader/resume");
        await App.Console.WaitForAsync("-> generation ", mark);
        var generation = await App.GetGenerationAsync();

        await App.ResetAsync(project);

        // This request moves the connection that the generation had accepted over to the next, or it would wait for that.
        Assert.NotEqual(generation, await App.GetGenerationAsync());
        return generation;
    }
}
