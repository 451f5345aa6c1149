using System.Globalization;
using System.Text.RegularExpressions;

namespace ResilientHosting.SwapLoad;

/// <summary>A program that makes requests as fast as it can, and what it says at its end.</summary>
internal sealed record LoadTool(string Program, string[] Arguments, Func<string, LoadReport> Read)
{
    // Requests of one run: long enough to meet a few swaps, short enough to be repeated until all swaps are met.
    public static readonly LoadTool Wrk = new("wrk", ["-t1", "-c32", "-d5s"], static text => new LoadReport(
        Number(text, @"(\d+) requests in"),
        Number(text, @"Non-2xx or 3xx responses: (\d+)")
            + Number(text, "Socket errors: connect (\\d+)") + Number(text, @"read (\d+)") + Number(text, @"write (\d+)") + Number(text, @"timeout (\d+)"),
        Time(text, @"Latency\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)\b")));

    // It leaves when a server asks it to move over, and calls failed what it never began.
    public static readonly LoadTool H2Load = new("h2load", ["-c8", "-m20", "-n100000"], static text => new LoadReport(
        Number(text, @"(\d+) started"),
        Number(text, @"(\d+) started") - Number(text, @" (\d+) 2xx"),
        Time(text, @"time for request:\s+\S+\s+([\d.]+)(us|ms|s)\b")));

    public bool IsInstalled => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, Program)));

    private static long Number(string text, string pattern) =>
        Regex.Match(text, pattern) is { Success: true } match ? long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;

    private static TimeSpan Time(string text, string pattern)
    {
        if (Regex.Match(text, pattern) is not { Success: true } match)
        {
            return TimeSpan.Zero;
        }

        var value = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        return match.Groups[2].Value switch
        {
            "us" => TimeSpan.FromMicroseconds(value),
            "ms" => TimeSpan.FromMilliseconds(value),
            _ => TimeSpan.FromSeconds(value),
        };
    }
}

/// <summary>What a tool counted.</summary>
/// <param name="Requests">The requests that were answered, or failed.</param>
/// <param name="Failed">Those refused, reset, timed out or answered with an error.</param>
/// <param name="Worst">The longest time a request took.</param>
internal sealed record LoadReport(long Requests, long Failed, TimeSpan Worst)
{
    public static LoadReport operator +(LoadReport a, LoadReport b) =>
        new(a.Requests + b.Requests, a.Failed + b.Failed, a.Worst > b.Worst ? a.Worst : b.Worst);
}
