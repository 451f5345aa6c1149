using System.Globalization;
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

    public async Task<Table> RunAsync()
    {
        var rows = new List<string[]>();
        foreach (var path in AbortPath.Common)
        {
            foreach (var protocol in Protocols)
            {
                foreach (var departure in protocol.Departures)
                {
                    var cells = new List<Cell>();
                    foreach (var contestant in Contestant.All)
                    {
                        cells.Add(await RunAsync(contestant, path, protocol, departure));
                    }

                    rows.Add([path.Path, $"{departure}", $"{protocol}", .. ToColumns(cells)]);
                }
            }
        }

        string[] names = [.. Contestant.All.Select(contestant => contestant.Name)];
        return new Table(
            [$"{Aborts} aborts", "leaves by", "protocol", .. names.Select(name => $"{name}: lines"), "access lines lost", "healthy"], rows)
        {
            TextColumns = 3,
        };
    }

    private static IEnumerable<string> ToColumns(List<Cell> cells) =>
    [
        .. cells.Select(cell => cell.Problems.ToString(CultureInfo.InvariantCulture)),
        string.Join('/', cells.Select(cell => cell.LostLines)),
        string.Join('/', cells.Select(cell => cell.IsHealthy ? "yes" : "no")),
    ];

    private async Task<Cell> RunAsync(Contestant contestant, AbortPath path, Protocol protocol, Departure departure)
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

        return new Cell(lines.Problems, Aborts - lines.Finished, isHealthy);
    }

    private sealed record Cell(int Problems, int LostLines, bool IsHealthy);
}
