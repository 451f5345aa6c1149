using System.Diagnostics;
using ResilientHosting.Benchmarks.DevServers;

namespace ResilientHosting.SwapLoad;

/// <summary>Edits saved one after another while a tool makes requests, until there have been enough of both.</summary>
internal static class Run
{
    private static readonly TimeSpan BetweenEdits = TimeSpan.FromMilliseconds(700);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static async Task<Result> ExecuteAsync(
        Solution solution, Scenario scenario, long requests, int swaps, CancellationToken cancellationToken)
    {
        await using var server = await DevServer.StartAsync(solution, scenario.Server, cancellationToken);
        var edit = solution.Edits[0];
        var original = await File.ReadAllTextAsync(edit.File, cancellationToken);
        var done = 0;
        var total = new LoadReport(0, 0, TimeSpan.Zero);
        var times = new List<TimeSpan>();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var load = LoadAsync();
        try
        {
            while (!load.IsCompleted)
            {
                await Task.Delay(BetweenEdits, cancellationToken);
                var began = Stopwatch.GetTimestamp();
                edit.Save(++done);
                if (!(await server.WaitForAsync(solution.Path, Edit.Mark(done), Limit, cancellationToken)).Served)
                {
                    throw new TimeoutException($"Edit {done} was not served within {Limit.TotalSeconds:0} s under load.");
                }

                times.Add(Stopwatch.GetElapsedTime(began));
            }
        }
        finally
        {
            await File.WriteAllTextAsync(edit.File, original, CancellationToken.None);
            await enough.CancelAsync();
        }

        await load;
        times.Sort();
        return new Result(scenario, total, done, times[times.Count / 2]);

        async Task LoadAsync()
        {
            while (total.Requests < requests || done < swaps)
            {
                total += await RunAsync(scenario.Tool, new Uri(server.Address, solution.Path), enough.Token);
            }
        }
    }

    private static async Task<LoadReport> RunAsync(LoadTool tool, Uri address, CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo(tool.Program, [.. tool.Arguments, address.ToString()]) { RedirectStandardOutput = true })!;
        try
        {
            var text = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            var report = tool.Read(text);
            return report.Requests > 0 ? report : throw new InvalidOperationException($"{tool.Program} made no request:\n{text}");
        }
        finally
        {
            process.Kill();
        }
    }
}

/// <summary>How it went.</summary>
/// <param name="Scenario">What was spoken.</param>
/// <param name="Load">What the tool counted.</param>
/// <param name="Swaps">How many generations were put into service meanwhile.</param>
/// <param name="Served">The median time from saving to serving, under this load.</param>
internal sealed record Result(Scenario Scenario, LoadReport Load, int Swaps, TimeSpan Served);
