using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using ResilientHosting.Benchmarks.Reporting;
using ResilientHosting.Tests.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.AbortStorms;

/// <summary>
/// Half of the clients leave in the middle of their requests. What do the healthy ones notice, compared with a round in which the same
/// clients send the same requests and stay, and what is left in the server when the storm is over?
/// </summary>
/// <param name="Rounds">How many rounds with leaving clients, each after one in which they stay.</param>
/// <param name="Requests">Requests of the healthy clients in a round, and as many of the others.</param>
internal sealed record Storm(int Rounds, int Requests)
{
    private static readonly TimeSpan WorkTime = TimeSpan.FromMilliseconds(10);

    public async Task<Table> RunAsync()
    {
        var rows = new List<string[]>();
        foreach (var contestant in (Contestant[])[Contestant.PlainWithHandler, Contestant.OursWithHandler])
        {
            rows.Add(await RunAsync(contestant));
        }

        return new Table(
            [
                $"{Rounds * Requests} aborts", "healthy p50 us", "ratio", "healthy p99 us", "ratio", "lines", "memory kB", "handles", "sockets",
                "timers", "unobserved",
            ],
            rows)
        {
            TextColumns = 1,
        };
    }

    private async Task<string[]> RunAsync(Contestant contestant)
    {
        var unobserved = 0;
        void CountUnobserved(object? sender, UnobservedTaskExceptionEventArgs unobservedTask) => Interlocked.Increment(ref unobserved);
        TaskScheduler.UnobservedTaskException += CountUnobserved;
        try
        {
            await using var server = await Server.StartAsync(contestant, Protocol.Http1, Map, gated: false);
            using var clients = StartClients(server.Address.Port);
            async Task<CrowdReport> OrderAsync(string verb)
            {
                await clients.StandardInput.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{verb} {Requests}"));
                var report = await clients.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The clients have failed.");
                await server.Connections.NoneLeftAsync();
                return CrowdReport.Parse(report);
            }

            // Everything compiled, every pool and cache at its size.
            await OrderAsync("stay");
            await OrderAsync("leave");
            var before = ProcessState.Take(server.Address.Port);
            var linesBefore = server.Lines.Problems;
            var rounds = new List<(CrowdReport Stay, CrowdReport Leave)>();
            for (var round = 0; round < Rounds; round++)
            {
                rounds.Add((await OrderAsync("stay"), await OrderAsync("leave")));
            }

            var after = ProcessState.Take(server.Address.Port);
            clients.StandardInput.Close();
            await clients.WaitForExitAsync();
            return
            [
                contestant.Name,
                FromTo(Median(rounds, pair => pair.Stay.Median), Median(rounds, pair => pair.Leave.Median)),
                Ratio(Median(rounds, pair => pair.Leave.Median / pair.Stay.Median)),
                FromTo(Median(rounds, pair => pair.Stay.P99), Median(rounds, pair => pair.Leave.P99)),
                Ratio(Median(rounds, pair => pair.Leave.P99 / pair.Stay.P99)),
                FromTo(0, server.Lines.Problems - linesBefore),
                FromTo(before.Memory / 1024d, after.Memory / 1024d),
                FromTo(before.Handles, after.Handles),
                before.Sockets is { } sockets ? FromTo(sockets, after.Sockets!.Value) : "not counted",
                FromTo(before.Timers, after.Timers),
                FromTo(0, unobserved),
            ];
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= CountUnobserved;
        }
    }

    private static void Map(WebApplication app)
    {
        app.MapGet("/work", async (CancellationToken aborted) =>
        {
            await Task.Delay(WorkTime, TimeProvider.System, aborted);
            return "hello";
        });
        app.MapGet("/query", async (CancellationToken aborted) =>
        {
            await Task.Delay(WorkTime, TimeProvider.System, aborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return aborted.IsCancellationRequested ? throw new CancelledQueryException() : "hello";
        });
    }

    private static Process StartClients(int port) => Process.Start(new ProcessStartInfo(
        Environment.ProcessPath!, ["clients", port.ToString(CultureInfo.InvariantCulture)])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
    }) ?? throw new InvalidOperationException("The clients did not start.");

    private static double Median(IEnumerable<(CrowdReport Stay, CrowdReport Leave)> rounds, Func<(CrowdReport Stay, CrowdReport Leave), double> value)
    {
        var ordered = rounds.Select(value).Order().ToList();
        return (ordered[(ordered.Count - 1) / 2] + ordered[ordered.Count / 2]) / 2;
    }

    private static string Ratio(double ratio) => ratio.ToString("F2", CultureInfo.InvariantCulture);

    private static string FromTo(double before, double after) => string.Create(CultureInfo.InvariantCulture, $"{before:F0} -> {after:F0}");
}
