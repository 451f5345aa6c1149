using ResilientHosting.Benchmarks.DevServers;

namespace ResilientHosting.Footprint;

/// <summary>What one start cost.</summary>
/// <param name="FirstAnswer">From the start of the process to the first answer.</param>
/// <param name="AtStart">What it holds a moment later.</param>
/// <param name="AfterEdits">What it holds after a few edits, where it serves edits.</param>
internal sealed record Footprint(TimeSpan FirstAnswer, ProcessGroup AtStart, ProcessGroup? AfterEdits)
{
    public const int Edits = 5;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(1);

    public static async Task<Footprint> MeasureAsync(Solution solution, Contestant contestant, CancellationToken cancellationToken)
    {
        await using var server = await DevServer.StartAsync(solution, contestant, cancellationToken);
        await Task.Delay(Settle, TimeProvider.System, cancellationToken);
        var atStart = ProcessGroup.Read(server.ProcessId);
        if (contestant.Edits == 0)
        {
            return new Footprint(server.TimeToFirstAnswer, atStart, AfterEdits: null);
        }

        var edit = solution.Edits[0];
        var original = await File.ReadAllTextAsync(edit.File, cancellationToken);
        try
        {
            for (var number = 1; number <= Edits; number++)
            {
                edit.Save(number);
                if (!(await server.WaitForAsync(solution.Path, Edit.Mark(number), Limit, cancellationToken)).Served)
                {
                    throw new TimeoutException($"{contestant.Name} did not serve an edit within {Limit.TotalSeconds:0} s.");
                }

                await Task.Delay(Settle, TimeProvider.System, cancellationToken);
            }

            return new Footprint(server.TimeToFirstAnswer, atStart, ProcessGroup.Read(server.ProcessId));
        }
        finally
        {
            await File.WriteAllTextAsync(edit.File, original, CancellationToken.None);
        }
    }
}
