using System.Globalization;
using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.Soak;

/// <summary>One row for each sample, and what they come to.</summary>
internal sealed class Report(IReadOnlyList<Sample> samples, (int Requests, int Failed) load, IReadOnlyCollection<string> leaks)
{
    private const double Megabyte = 1024 * 1024;

    public Table Table => new(
        ["reloads", "RSS MB", "managed MB", "generations loaded", "handles", "sockets", "threads"],
        [.. samples.Select(sample => (string[])
        [
            $"{sample.Reload}", Show(sample.ResidentBytes), Show(sample.ManagedBytes), $"{sample.Generations}", $"{sample.Handles}",
            $"{sample.Sockets}", $"{sample.Threads}",
        ])])
    {
        TextColumns = 0,
    };

    public string Summary
    {
        get
        {
            // The compiler and the just-in-time compiler are still growing in the first third.
            var warm = samples.Skip(samples.Count / 3).ToArray();
            var slope = warm.Length < 2
                ? "not enough rows for a slope"
                : string.Create(CultureInfo.InvariantCulture, $"per reload, from {warm[0].Reload} on: RSS {Slope(warm, sample => sample.ResidentBytes):0.00} MB, managed {Slope(warm, sample => sample.ManagedBytes):0.000} MB");
            return $"""
                {slope}
                requests: {load.Requests}, failed: {load.Failed}
                leaks: {(leaks.Count == 0 ? "none" : "\n" + string.Join('\n', leaks))}
                """;
        }
    }

    /// <summary>The slope of the straight line that is closest to all the samples.</summary>
    private static double Slope(Sample[] samples, Func<Sample, long> value)
    {
        var (x, y) = (samples.Average(sample => sample.Reload), samples.Average(sample => value(sample) / Megabyte));
        return samples.Sum(sample => (sample.Reload - x) * ((value(sample) / Megabyte) - y)) / samples.Sum(sample => Math.Pow(sample.Reload - x, 2));
    }

    private static string Show(long bytes) => (bytes / Megabyte).ToString("0.0", CultureInfo.InvariantCulture);
}
