using System.Globalization;
using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.Soak;

/// <summary>One row for each sample, and one for what they come to.</summary>
internal static class Report
{
    private const double Megabyte = 1024 * 1024;

    public static void Write(Recorder recorder, IReadOnlyList<Sample> samples, int requests, int failed, int leaks)
    {
        foreach (var sample in samples)
        {
            recorder.Add(
                [("after", sample.Reload.ToString(CultureInfo.InvariantCulture))],
                [
                    ("RSS MB", sample.ResidentBytes / Megabyte), ("managed MB", sample.ManagedBytes / Megabyte), ("generations", sample.Generations),
                    ("handles", sample.Handles), ("sockets", sample.Sockets), ("threads", sample.Threads),
                ]);
        }

        // The compiler and the just-in-time compiler are still growing in the first third.
        var warm = samples.Skip(samples.Count / 3).ToArray();
        recorder.Add(
            [("after", "all")],
            [
                ("RSS MB a reload", Slope(warm, sample => sample.ResidentBytes)), ("managed MB a reload", Slope(warm, sample => sample.ManagedBytes)),
                ("requests", requests), ("failed", failed), ("leaks", leaks),
            ]);
    }

    /// <summary>The slope of the straight line that is closest to all the samples.</summary>
    private static double? Slope(Sample[] samples, Func<Sample, long> value)
    {
        if (samples.Length < 2)
        {
            return null;
        }

        var (x, y) = (samples.Average(sample => sample.Reload), samples.Average(sample => value(sample) / Megabyte));
        return samples.Sum(sample => (sample.Reload - x) * ((value(sample) / Megabyte) - y)) / samples.Sum(sample => Math.Pow(sample.Reload - x, 2));
    }
}
