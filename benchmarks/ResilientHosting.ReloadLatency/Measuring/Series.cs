using System.Diagnostics;
using ResilientHosting.Benchmarks.DevServers;
using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.ReloadLatency;

/// <summary>Edits saved one after another while the application runs, and the time until each is served.</summary>
internal static class Series
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BetweenEdits = TimeSpan.FromMilliseconds(700);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Runs all edits of a solution, and yields a row for each kind.</summary>
    public static async Task RunAsync(
        Solution solution, Contestant contestant, int edits, Recorder recorder, CancellationToken cancellationToken)
    {
        var stages = new Stages();
        DevServer server;
        try
        {
            server = await DevServer.StartAsync(solution, contestant, cancellationToken, stages.Read);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            recorder.LeaveOut($"{solution.Name} with {contestant.Name}: it did not serve within {DevServer.StartLimit.TotalSeconds:0} s of its start");
            return;
        }

        await using var running = server;
        await Task.Delay(Settle, cancellationToken);

        // No mark may come twice: an answer must not be taken for that of an earlier edit.
        var mark = 0;
        foreach (var edit in solution.Edits)
        {
            var original = await File.ReadAllTextAsync(edit.File, cancellationToken);
            var times = new List<TimeSpan>();
            var failed = 0;
            var served = true;
            for (var number = 0; number < edits && served; number++)
            {
                edit.Save(++mark);
                var saved = Stopwatch.GetTimestamp();
                (var failures, served) = await server.WaitForAsync(solution.Path, Edit.Mark(mark), Limit, cancellationToken);
                times.Add(Stopwatch.GetElapsedTime(saved));
                failed += failures;
                await Task.Delay(BetweenEdits, cancellationToken);
            }

            recorder.Add(ToRow(solution, edit, contestant, served ? times : [], served ? failed : null, stages.Take()));

            // The next kind of edit begins where this one did, and not before that is served: a long reload would be part of its time.
            await File.WriteAllTextAsync(edit.File, original, cancellationToken);
            await server.WaitForAsync(
                solution.Path, answer => !answer.Contains(Edit.Mark(mark), StringComparison.Ordinal), Limit, cancellationToken);
            await Task.Delay(Settle, cancellationToken);
            stages.Take();
        }
    }

    // The first edit also pays for code that runs for the first time. It is shown by itself.
    private static Row ToRow(
        Solution solution, Edit edit, Contestant contestant, List<TimeSpan> times, int? failedPolls, (string Name, double? Value)[] stages)
    {
        double[] warm = [.. times.Skip(1).Select(time => time.TotalMilliseconds).Order()];
        return new Row(
            [("solution", solution.Name), ("edit", edit.Name), ("served by", contestant.Name)],
            [
                ("median ms", warm.Median()),
                ("min ms", warm.Length == 0 ? null : warm[0]),
                ("max ms", warm.Length == 0 ? null : warm[^1]),
                ("first ms", times.Count == 0 ? null : times[0].TotalMilliseconds),
                ("edits", times.Count),
                ("failed polls", failedPolls), .. stages,
            ]);
    }
}
