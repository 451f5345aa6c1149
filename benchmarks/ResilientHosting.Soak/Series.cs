using System.Globalization;
using ResilientHosting.Benchmarks.DevServers;

namespace ResilientHosting.Soak;

/// <summary>Edits saved one after another, and what the process has every so many of them.</summary>
internal static class Series
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan BetweenEdits = TimeSpan.FromMilliseconds(300);

    // Until the retired generations have been collected, and a whole image has taken the place of a long delta.
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(8);

    public static async Task<IReadOnlyList<Sample>> RunAsync(
        DevServer server, Solution solution, int reloads, int every, CancellationToken cancellationToken)
    {
        var samples = new List<Sample>();
        for (var reload = 1; reload <= reloads; reload++)
        {
            solution.Edits[0].Save(reload);
            if (await server.WaitForAsync(solution.Path, Edit.Mark(reload), Limit, cancellationToken) is not (0, true))
            {
                throw new InvalidOperationException($"Edit {reload} was not served within {Limit.TotalMinutes:0} minutes, or a request failed meanwhile.");
            }

            await Task.Delay(BetweenEdits, cancellationToken);
            if (reload % every == 0)
            {
                await Task.Delay(Settle, cancellationToken);
                samples.Add(await Sample.TakeAsync(server, reload, cancellationToken));
                Console.Error.WriteLine(samples[^1]);
            }
        }

        return samples;
    }
}

/// <summary>What a process has at one moment.</summary>
/// <param name="Reload">After how many reloads.</param>
/// <param name="ResidentBytes">Memory of the process.</param>
/// <param name="ManagedBytes">Of it, objects in use after a full collection.</param>
/// <param name="Generations">How many generations are loaded, the serving one included.</param>
/// <param name="Handles">Open file descriptors.</param>
/// <param name="Sockets">Of them, sockets.</param>
/// <param name="Threads">Threads.</param>
internal sealed record Sample(int Reload, long ResidentBytes, long ManagedBytes, int Generations, int Handles, int Sockets, int Threads)
{
    public static async Task<Sample> TakeAsync(DevServer server, int reload, CancellationToken cancellationToken)
    {
        var process = string.Create(CultureInfo.InvariantCulture, $"/proc/{server.ProcessId}");
        var status = File.ReadLines(process + "/status").Select(line => line.Split(':')).ToDictionary(line => line[0], line => line[1]);
        var handles = Directory.GetFileSystemEntries(process + "/fd").Select(handle => new FileInfo(handle).LinkTarget).OfType<string>().ToArray();

        // Asked last: what it collects would not have been collected otherwise.
        var answer = (await server.GetAsync(ObservedSample.MemoryPath, cancellationToken)).Split(' ');
        return new Sample(
            reload,
            long.Parse(status["VmRSS"].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024,
            long.Parse(answer[0], CultureInfo.InvariantCulture),
            int.Parse(answer[1], CultureInfo.InvariantCulture),
            handles.Length,
            handles.Count(handle => handle.StartsWith("socket:", StringComparison.Ordinal)),
            int.Parse(status["Threads"], CultureInfo.InvariantCulture));
    }
}
