using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts;

/// <summary>
/// Real clients on real sockets leave in every phase and in one way. Nothing may be logged above Information, no request may go
/// unrecorded or leave anything behind, and the server lives on.
/// </summary>
public sealed partial class AbortStorm(Protocol protocol, Departure departure, Pipeline pipeline, string environment)
{
    private const int Aborts = 200;
    private const int FewerAborts = 50;
    private const int Concurrency = 16;
    private const string ExpectedStory = "created 1, torn down: Aborted";

    private readonly AbortTestApp _app = new();

    public static TheoryData<Departure, Pipeline, string> Cells(Protocol protocol)
    {
        var cells = new TheoryData<Departure, Pipeline, string>();
        foreach (var departure in protocol.Departures)
        {
            foreach (var pipeline in Enum.GetValues<Pipeline>())
            {
                cells.Add(departure, pipeline, "Production");
                cells.Add(departure, pipeline, "Development");
            }
        }

        return cells;
    }

    public async Task RunAsync()
    {
        // Handshakes take most of the time over TLS; over HTTP/1.1 they are paid for in full.
        var common = pipeline == Pipeline.OutsideExceptionHandler || protocol == Protocol.Http2OverTls ? FewerAborts : Aborts;
        var storms = AbortPath.Common.Select(path => (Path: path, Aborts: common))
            .Concat(AbortPath.Rare.Select(path => (Path: path, Aborts: FewerAborts)))
            .ToList();
        await using var host = await _app.StartAsync(pipeline, environment, protocol);

        foreach (var (path, aborts) in storms)
        {
            await LeaveAsync(host, path, aborts);
            Assert.Equal("healthy", await host.Client.GetStringAsync("/health", TestContext.Current.CancellationToken));
        }

        await host.StopAsync();

        host.Logs.AssertQuiet();
        Assert.Equal(
            storms.Select(storm =>
                $"{storm.Path.Path}: {storm.Aborts} x {storm.Path.Status}; {storm.Aborts} x {ExpectedCause}; {storm.Aborts} x {ExpectedStory}"),
            storms.Select(storm => Report(host.Logs, storm.Path, storm.Aborts)));
    }

    private string ExpectedCause => departure == Departure.StreamReset ? "ClientStreamReset" : "Client";

    private async Task LeaveAsync(KestrelTestHost host, AbortPath path, int aborts)
    {
        // A connection outlives what is reset on it, and serves the next request.
        var connections = new ConcurrentBag<LeavingClient>();
        await Parallel.ForAsync(0, aborts, new ParallelOptions { MaxDegreeOfParallelism = Concurrency }, async (number, _) =>
        {
            var id = IdOf(path.Path, number);
            if (!connections.TryTake(out var client))
            {
                client = await LeavingClient.ConnectAsync(host.Address, protocol);
            }

            await path.SendAsync(client, id);
            await _app.Gates.ArrivedAsync(id);
            if (path.ReadFirst is { } text)
            {
                Assert.Contains(text, await client.ReadUntilAsync(text), StringComparison.Ordinal);
            }

            await client.LeaveAsync(departure);
            await _app.Gates.EndedAsync(id);
            if (departure == Departure.StreamReset)
            {
                connections.Add(client);
            }
            else
            {
                await client.DisposeAsync();
            }
        });

        foreach (var client in connections)
        {
            await client.DisposeAsync();
        }
    }

    private string Report(LogCollector logs, AbortPath path, int aborts)
    {
        var statuses = AccessRecord.Statuses(logs, path.Path).CountBy(status => status);
        var causes = logs.Lines.Where(line => line.Event.Name == "ClientAborted")
            .Select(line => Aborted().Match(line.Message).Groups)
            .Where(match => $"/{match["route"].Value}" == path.Path)
            .CountBy(match => CauseOf(match["cause"].Value));
        var stories = Enumerable.Range(0, aborts).Select(number => _app.Resources.StoryOf(IdOf(path.Path, number)))
            .CountBy(story => story);
        return $"{path.Path}: {Counts(statuses)}; {Counts(causes)}; {Counts(stories)}";
    }

    // Kestrel ends the streams of an HTTP/2 connection a little before it says that the connection is closed; until then each looks as
    // if it alone had been reset. A reset stream never looks like a closed connection.
    private string CauseOf(string recorded) => protocol.IsHttp2 && recorded == "ClientStreamReset" ? ExpectedCause : recorded;

    private static string Counts<T>(IEnumerable<KeyValuePair<T, int>> counts) =>
        string.Join(", ", counts.Select(count => $"{count.Value} x {count.Key}"));

    private static string IdOf(string path, int number) => $"{path}-{number}";

    // Routes of actions have no leading slash.
    [GeneratedRegex(@"^\S+ /?(?<route>\S+) was aborted in phase \S+ by (?<cause>\w+);")]
    private static partial Regex Aborted();
}
