using System.Globalization;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.AbortStorms;

/// <summary>
/// Two crowds of equal size at an equal pace. The healthy ones keep their connections and are timed; the others connect for each request,
/// and either stay for the answer or leave in the middle. Runs in a process of its own, and does what it is told line by line.
/// </summary>
internal sealed class StormClients(Uri address)
{
    private const int CrowdSize = 16;
    private const string Answer = "hello";

    // The server answers with a chunk, and the empty one that ends it.
    private const string AnswerEnd = Answer + "\r\n0\r\n\r\n";
    private const string Body = $$"""{"text":"{{Answer}}"}""";

    // Both crowds together leave the machine some rest: what is measured is the disturbance, not a queue.
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(25);

    // Leaves the server the time to begin.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(2);

    /// <summary>Reads "stay 100" or "leave 100", sends as many requests from each crowd, and writes the median and the p99 of the healthy ones.</summary>
    public async Task ObeyAsync(TextReader orders, TextWriter reports)
    {
        while (await orders.ReadLineAsync() is { } order)
        {
            var words = order.Split(' ');
            var requests = int.Parse(words[1], CultureInfo.InvariantCulture) / CrowdSize;
            var healthy = Enumerable.Range(0, CrowdSize).Select(client => Task.Run(() => BeHealthyAsync(client, requests))).ToList();
            var others = Enumerable.Range(0, CrowdSize).Select(client => Task.Run(() => words[0] == "leave"
                ? RepeatAsync(client, requests, LeaveAsync)
                : RepeatAsync(client, requests, StayAsync))).ToList();
            await Task.WhenAll(others);
            var times = (await Task.WhenAll(healthy)).SelectMany(list => list).Order().ToList();
            await reports.WriteLineAsync(new CrowdReport(At(times, 0.5), At(times, 0.99)).ToString());
        }
    }

    private static double At(List<double> ordered, double share) => ordered[(int)(share * (ordered.Count - 1))];

    private async Task<List<double>> BeHealthyAsync(int client, int requests)
    {
        var times = new List<double>(requests);
        await using var connection = await RawHttpClient.ConnectAsync(address);
        await RepeatAsync(client, requests, async _ =>
        {
            var sent = TimeProvider.System.GetTimestamp();
            await SendNoteAsync(connection);
            await ReadAnswerAsync(connection);
            times.Add(TimeProvider.System.GetElapsedTime(sent).TotalMicroseconds);
        });
        connection.Leave(Departure.Fin);
        return times;
    }

    private async Task StayAsync(int number)
    {
        await using var connection = await RawHttpClient.ConnectAsync(address);
        await (number % 3 == 0 ? SendNoteAsync(connection) : connection.SendGetAsync(PathOf(number)));
        await ReadAnswerAsync(connection);
        connection.Leave(Departure.Fin);
    }

    private async Task LeaveAsync(int number)
    {
        await using var connection = await RawHttpClient.ConnectAsync(address);
        await (number % 3 == 0 ? connection.SendPostAsync("/json", Body.Length, Body[..8]) : connection.SendGetAsync(PathOf(number)));
        await Task.Delay(Patience, TimeProvider.System);
        connection.Leave(number % 2 == 0 ? Departure.Fin : Departure.Rst);
    }

    private static string PathOf(int number) => number % 3 == 1 ? "/work" : "/query";

    private static Task SendNoteAsync(RawHttpClient connection) => connection.SendPostAsync("/json", Body.Length, Body);

    private static async Task ReadAnswerAsync(RawHttpClient connection)
    {
        var answer = await connection.ReadUntilAsync(AnswerEnd);
        if (!answer.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"A client that stayed got no answer but \"{answer}\".");
        }
    }

    private static async Task RepeatAsync(int client, int times, Func<int, Task> act)
    {
        await Task.Delay(Pace * client / CrowdSize, TimeProvider.System);
        using var pace = new PeriodicTimer(Pace);
        for (var number = 0; number < times; number++)
        {
            await act(number);
            await pace.WaitForNextTickAsync();
        }
    }
}

/// <summary>How long the healthy clients waited, in microseconds.</summary>
internal sealed record CrowdReport(double Median, double P99)
{
    public static CrowdReport Parse(string line) =>
        line.Split(' ') is [var median, var p99]
            ? new(double.Parse(median, CultureInfo.InvariantCulture), double.Parse(p99, CultureInfo.InvariantCulture))
            : throw new FormatException($"Two figures were expected, not \"{line}\".");

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Median:F1} {P99:F1}");
}
