using System.Diagnostics;
using ResilientHosting.Benchmarks.DevServers;

namespace ResilientHosting.ReloadLatency;

/// <summary>Edits saved one after another while the application runs, and the time until each is served.</summary>
internal static class Series
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan BetweenEdits = TimeSpan.FromMilliseconds(700);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static async Task<IReadOnlyList<Measurement>> RunAsync(Solution solution, Contestant contestant, int edits, CancellationToken cancellationToken)
    {
        var measurements = new List<Measurement>();
        await using var server = await DevServer.StartAsync(solution, contestant, cancellationToken);
        await Task.Delay(Settle, cancellationToken);

        // No mark may come twice: an answer must not be taken for that of an earlier edit.
        var mark = 0;
        foreach (var edit in solution.Edits)
        {
            var original = File.ReadAllText(edit.File);
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

            measurements.Add(new Measurement(solution.Name, edit.Name, contestant.Name, served ? times : [], failed));
            File.WriteAllText(edit.File, original);
            await Task.Delay(Settle, cancellationToken);
        }

        return measurements;
    }
}

/// <summary>What one series gave.</summary>
/// <param name="Solution">The solution.</param>
/// <param name="Edit">The kind of edit.</param>
/// <param name="Contestant">Who served it.</param>
/// <param name="Times">From save to served, in order; empty if an edit was never served.</param>
/// <param name="FailedPolls">How many polls got no answer.</param>
internal sealed record Measurement(string Solution, string Edit, string Contestant, IReadOnlyList<TimeSpan> Times, int FailedPolls)
{
    /// <summary>Gets the times but the first, which also pays for code that runs for the first time.</summary>
    private IReadOnlyList<double> Warm { get; } = [.. Times.Skip(1).Select(time => time.TotalMilliseconds).Order()];

    public double? First => Times.Count == 0 ? null : Times[0].TotalMilliseconds;

    public double? Min => Warm.Count == 0 ? null : Warm[0];

    public double? Max => Warm.Count == 0 ? null : Warm[^1];

    public double? Median => Warm.Count == 0 ? null : (Warm[(Warm.Count - 1) / 2] + Warm[Warm.Count / 2]) / 2;
}
