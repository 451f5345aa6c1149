using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.ReloadLatency;

/// <summary>Where the time of each reload went, as our reloader says on the console. A peer says nothing of the kind.</summary>
internal sealed partial class Stages
{
    private static readonly string[] Names = ["build", "stop", "start"];

    private readonly ConcurrentQueue<double[]> _reloads = new();

    public void Read(string line)
    {
        if (Report().Match(line) is { Success: true } report)
        {
            _reloads.Enqueue([.. Names.Select(name => double.Parse(report.Groups[name].ValueSpan, CultureInfo.InvariantCulture))]);
        }
    }

    /// <summary>
    /// Takes what has been read since the last time: the median of each stage. The first reload is left out, as everywhere.
    /// </summary>
    public (string Name, double? Value)[] Take()
    {
        var reloads = _reloads.Skip(1).ToList();
        _reloads.Clear();
        return reloads.Count == 0
            ? []
            : [.. Names.Select((name, stage) => ($"{name} ms", (double?)reloads.Select(times => times[stage]).Median()))];
    }

    [GeneratedRegex(@"\(build (?<build>\d+), stop (?<stop>\d+), start (?<start>\d+)\)")]
    private static partial Regex Report();
}
