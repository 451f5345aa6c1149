namespace ResilientHosting.Benchmarks.Reporting;

/// <summary>Figures of several measurements.</summary>
internal static class Statistics
{
    /// <summary>The middle one, or the mean of the two in the middle. <see cref="double.NaN"/> if there is none.</summary>
    public static double Median(this IEnumerable<double> values)
    {
        var ordered = values.Order().ToList();
        return ordered.Count == 0 ? double.NaN : (ordered[(ordered.Count - 1) / 2] + ordered[ordered.Count / 2]) / 2;
    }
}
