using ResilientHosting.Benchmarks.Reporting;
using ResilientHosting.Tests.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.AbortStorms;

/// <summary>
/// Every path, departure and protocol: how many lines at Warning or above the aborts leave in the log, how many access lines are lost,
/// and whether the server still answers.
/// </summary>
internal sealed record Matrix(int Aborts)
{
    private const int Concurrency = 16;

    private static readonly Protocol[] Protocols = [Protocol.Http1, Protocol.Http1OverTls, Protocol.Http2];

    public async Task RunAsync(Recorder recorder)
    {
        foreach (var path in AbortPath.Common)
        {
            foreach (var protocol in Protocols)
            {
                foreach (var departure in protocol.Departures)
                {
                    foreach (var contestant in Contestant.All)
                    {
                        recorder.Add(await RunAsync(contestant, path, protocol, departure));
                    }
                }
            }
        }
    }

    private async Task<Row> RunAsync(Contestant contestant, AbortPath path, Protocol protocol, Departure departure)
    {
        bool isHealthy;
        LineCounter lines;
        await using (var server = await Server.StartAsync(contestant, protocol))
        {
            lines = server.Lines;
            await Parallel.ForAsync(0, Aborts, new ParallelOptions { MaxDegreeOfParallelism = Concurrency }, async (number, _) =>
            {
                var id = $"{number}";
                await using var client = await LeavingClient.ConnectAsync(server.Address, protocol);
                await path.SendAsync(client, id);
                await server.Gates.ArrivedAsync(id);
                if (path.ReadFirst is { } text)
                {
                    await client.ReadUntilAsync(text);
                }

                await client.LeaveAsync(departure);
                await server.Gates.EndedAsync(id);
            });
            isHealthy = await server.IsHealthyAsync();
        }

        return new Row(
            [("path", path.Path), ("leaves by", $"{departure}"), ("protocol", $"{protocol}"), ("application", contestant.Name)],
            [
                ("aborts", Aborts), ("lines at Warning or above", lines.Problems), ("access lines lost", Aborts - lines.Finished),
                ("healthy", isHealthy ? 1 : 0),
            ]);
    }
}
