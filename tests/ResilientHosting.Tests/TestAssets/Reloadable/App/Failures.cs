/// <summary>Ways in which a running application fails, for tests to ask for.</summary>
internal static class Failures
{
    private static string? s_atTheEnd;

    public static void MapFailures(this WebApplication app)
    {
        app.MapPost("/fail/thread", () => new Thread(() => throw Failure("thread")).Start());
        app.MapPost("/fail/async-void", async () => Forget());
        app.MapPost("/fail/timer", () => { _ = new Timer(_ => throw Failure("timer"), null, 0, Timeout.Infinite); });
        app.MapPost("/fail/work-item", () => { ThreadPool.UnsafeQueueUserWorkItem(_ => throw Failure("work-item"), null); });
        app.MapPost("/fail/at-the-end", (string how) => { s_atTheEnd = how; });
        app.MapPost("/fail/end", (string how) =>
        {
            s_atTheEnd = how;
            app.Lifetime.StopApplication();
        });
        app.MapPost("/fail/exit", (int code) => Environment.Exit(code));
        app.MapPost("/fail/exit-thread", (int code) => new Thread(() => Environment.Exit(code)).Start());
        app.MapPost("/fail/background-service", (FailingService service) => service.Fail());

        async void Forget()
        {
            await Task.Yield();
            throw Failure("async-void");
        }
    }

    /// <summary>Called when the host has ended.</summary>
    public static void AtTheEnd()
    {
        if (s_atTheEnd == "exception")
        {
            throw Failure("end");
        }

        if (int.TryParse(s_atTheEnd, out var exitCode))
        {
            Environment.ExitCode = exitCode;
        }
    }

    public static InvalidOperationException Failure(string where) => new($"failed: {where}");
}

internal sealed class FailingService : BackgroundService
{
    private readonly TaskCompletionSource _failed = new();

    public void Fail() => _failed.SetException(Failures.Failure("background-service"));

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _failed.Task.WaitAsync(stoppingToken);
}
