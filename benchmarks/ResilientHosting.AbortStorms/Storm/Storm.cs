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

    public async Task RunAsync(Recorder recorder)
    {
        foreach (var contestant in (Contestant[])[Contestant.PlainWithHandler, Contestant.OursWithHandler])
        {
            recorder.Add(await RunAsync(contestant));
        }
    }

    private async Task<Row> RunAsync(Contestant contestant)
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
            return new Row(
                [("application", contestant.Name)],
                [
                    ("aborts", Rounds * Requests),
                    ("median µs, calm", rounds.Select(pair => pair.Stay.Median).Median()),
                    ("median µs, storm", rounds.Select(pair => pair.Leave.Median).Median()),
                    ("median ratio", rounds.Select(pair => pair.Leave.Median / pair.Stay.Median).Median()),
                    ("p99 µs, calm", rounds.Select(pair => pair.Stay.P99).Median()),
                    ("p99 µs, storm", rounds.Select(pair => pair.Leave.P99).Median()),
                    ("p99 ratio", rounds.Select(pair => pair.Leave.P99 / pair.Stay.P99).Median()),
                    ("lines at Warning or above", server.Lines.Problems - linesBefore),
                    ("memory kB gained", (after.Memory - before.Memory) / 1024d),
                    ("handles gained", after.Handles - before.Handles),
                    ("sockets gained", after.Sockets - before.Sockets),
                    ("timers gained", after.Timers - before.Timers),
                    ("unobserved exceptions", unobserved),
                ]);
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
}
