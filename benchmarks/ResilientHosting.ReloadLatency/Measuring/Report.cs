using System.Globalization;
using ResilientHosting.Benchmarks.DevServers;
using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.ReloadLatency;

/// <summary>One row for each edit and contestant: how much longer it takes than ours, and then its figures.</summary>
internal static class Report
{
    public static Table Create(IReadOnlyList<Measurement> measurements, IReadOnlyList<Contestant> contestants) => new(
        ["solution", "edit", "served by", "× ours", "median ms", "min", "max", "first edit", "failed polls"],
        [.. from measurement in measurements
            group measurement by (measurement.Solution, measurement.Edit) into edit
            let ours = edit.First(measurement => measurement.Contestant == contestants[0].Name)
            from measurement in edit
            select (string[])
            [
                measurement.Solution, measurement.Edit, measurement.Contestant, Show(measurement.Median / ours.Median, "0.0"),
                Show(measurement.Median, "0"), Show(measurement.Min, "0"), Show(measurement.Max, "0"), Show(measurement.First, "0"),
                measurement.FailedPolls.ToString(CultureInfo.InvariantCulture),
            ]])
    {
        TextColumns = 3,
    };

    private static string Show(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";
}
