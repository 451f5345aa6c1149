using ResilientHosting.Benchmarks.DevServers;
using ResilientHosting.Benchmarks.Reporting;
using ResilientHosting.Tests.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.AbortStorms;

/// <summary>
/// The same clients at the same three paths of ASP.NET Core, ours, and the servers of Flask: how many errors does a server report for
/// clients that leave?
/// </summary>
internal sealed record PeerComparison(int Aborts)
{
    private const int Concurrency = 16;

    // Leaves every server the time to begin.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    // Longer than any path of the peers runs: whoever writes to a client that has gone has done so by then.
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(1.5);

    private static readonly AbortPath[] Paths = [.. AbortPath.Common.Where(path => path.Path is "/compute" or "/stream" or "/raw")];
    private static readonly (string Name, Contestant Contestant)[] Applications =
    [
        ("ASP.NET Core with ResilientHosting", Contestant.Ours),
        ("ASP.NET Core", Contestant.Plain),
        ("ASP.NET Core, exception handler", Contestant.PlainWithHandler),
    ];

    private static readonly Departure[] Departures = [Departure.Fin, Departure.Rst];

    public async Task RunAsync(Recorder recorder)
    {
        foreach (var (name, contestant) in Applications)
        {
            foreach (var path in Paths)
            {
                foreach (var departure in Departures)
                {
                    await using var server = await Server.StartAsync(contestant, Protocol.Http1, gated: false);
                    await LeaveAsync(server.Address, path, departure);
                    Record(recorder, name, path, departure, server.Lines.Problems, await server.IsHealthyAsync());
                }
            }
        }

        foreach (var peer in PythonServer.All())
        {
            if (!peer.Tool.IsInstalled)
            {
                recorder.LeaveOut($"{peer.Contestant.Name}: not installed ({peer.Tool.Remedy})");
                continue;
            }

            foreach (var path in Paths)
            {
                foreach (var departure in Departures)
                {
                    await RunAsync(recorder, peer, path, departure);
                }
            }
        }
    }

    private async Task RunAsync(Recorder recorder, PythonServer peer, AbortPath path, Departure departure)
    {
        var reports = new ErrorReports();
        var solution = new Solution(peer.Contestant.Name, Path.Combine(AppContext.BaseDirectory, "Python"), "/health", []);
        await using var server = await DevServer.StartAsync(solution, peer.Contestant, CancellationToken.None, reports.Read);
        await LeaveAsync(server.Address, path, departure);
        var isHealthy = await server.GetAsync("/health", CancellationToken.None) == "healthy";
        Record(recorder, peer.Contestant.Name, path, departure, reports.Count, isHealthy);
    }

    private async Task LeaveAsync(Uri address, AbortPath path, Departure departure)
    {
        await Parallel.ForAsync(0, Aborts, new ParallelOptions { MaxDegreeOfParallelism = Concurrency }, async (number, _) =>
        {
            await using var client = await RawHttpClient.ConnectAsync(address);
            await path.SendAsync(client, $"{number}");
            if (path.ReadFirst is { } text)
            {
                await client.ReadUntilAsync(text);
            }

            await Task.Delay(Patience, TimeProvider.System, CancellationToken.None);
            client.Leave(departure);
        });
        await Task.Delay(Settle, TimeProvider.System);
    }

    private void Record(Recorder recorder, string server, AbortPath path, Departure departure, int reports, bool isHealthy) => recorder.Add(
        [("server", server), ("path", path.Path), ("leaves by", $"{departure}")],
        [("aborts", Aborts), ("errors reported", reports), ("healthy", isHealthy ? 1 : 0)]);
}
