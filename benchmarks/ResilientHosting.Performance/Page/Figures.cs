using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.Performance;

/// <summary>Reads figures out of rows, and shows them.</summary>
internal static class Figures
{
    /// <summary>The figure of the one row, or <see langword="null"/> if there is no row or it has none.</summary>
    public static double? Single(this IEnumerable<Row> rows, string column) => rows.SingleOrDefault()?.Value(column);

    /// <summary>Shows milliseconds, from a second on as seconds.</summary>
    public static string Milliseconds(double? time) => time switch
    {
        null => "–",
        < 1000 => $"{Row.Show(time)} ms",
        _ => $"{Row.Show(time / 1000)} s",
    };
}
