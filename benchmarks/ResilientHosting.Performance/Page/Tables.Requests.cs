using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.Performance;

internal static partial class Tables
{
    private static readonly Dictionary<string, string> PoolNames = new()
    {
        ["PoolBenchmarks.ObjectPool"] = "`ObjectPool`, no bound and no queue",
        ["PoolBenchmarks.ResilientHosting"] = "**ResilientHosting**",
        ["PoolBenchmarks.ChannelPool"] = "hand-written, on a `Channel`",
        ["PoolBenchmarks.SemaphorePool"] = "hand-written, `SemaphoreSlim` and a stack",
    };

    private static readonly Dictionary<string, string> RequestNames = new()
    {
        ["FeatureBenchmarks.None"] = "none",
        ["FeatureBenchmarks.Resources"] = "a pooled resource registered, unused",
        ["FeatureBenchmarks.Tolerance"] = "client-abort tolerance",
        ["FeatureBenchmarks.Reloader"] = "dev reloader, inert in Production",
        ["FeatureBenchmarks.All"] = "all three",
        ["ResourceBenchmarks.Endpoint"] = "the endpoint alone",
        ["ResourceBenchmarks.ScopedService"] = "with a plain scoped service",
        ["ResourceBenchmarks.UnusedResource"] = "with a registered resource that nobody uses",
        ["ResourceBenchmarks.FirstGet"] = "with a resource, created per request",
        ["ResourceBenchmarks.FirstGetPooled"] = "with a pooled resource",
        ["RepeatedGetBenchmarks.RepeatedScopedService"] = "asking the container again for a scoped service",
        ["RepeatedGetBenchmarks.RepeatedGet"] = "a repeated `GetAsync`",
        ["ToleranceBenchmarks.Plain"] = "no token, no body: plain",
        ["ToleranceBenchmarks.Tolerant"] = "no token, no body: tolerance",
        ["ToleranceBenchmarks.PlainToken"] = "token used: plain",
        ["ToleranceBenchmarks.TolerantToken"] = "token used: tolerance",
        ["ToleranceBenchmarks.CompletingToken"] = "token used: runs to completion",
        ["ToleranceBenchmarks.PlainBody"] = "body of 1 KB read: plain",
        ["ToleranceBenchmarks.TolerantBody"] = "body of 1 KB read: tolerance",
        ["ToleranceBenchmarks.CompletingBody"] = "body of 1 KB read: runs to completion",
    };

    private static readonly string[] RequestOrder = [.. RequestNames.Keys];

    public static string NameOfRequest(Row row) => RequestNames[row["benchmark"]];

    private static string Pools(Archive archive)
    {
        var rows = archive.Rows("pools");
        double? Baseline(Row row) =>
            rows.Where(other => other.Is("benchmark", "PoolBenchmarks.ObjectPool") && other["Threads"] == row["Threads"]).Single("mean ns");

        return Pivot.ToMarkdown(
            rows, "pool", row => PoolNames[row["benchmark"]], row => row["Threads"] == "1" ? "1 thread" : $"{row["Threads"]} threads",
            found => $"{Row.Show(found[0].Value("mean ns") / Baseline(found[0]))} × ({found[0]["mean ns"]} ns, {found[0]["allocated B"]} B)");
    }

    private static string Overhead(Archive archive) => Costs(archive, "FeatureBenchmarks", "features of the application", _ => "None");

    private static string Resources(Archive archive) => Costs(archive, "ResourceBenchmarks", "request", _ => "Endpoint");

    private static string Tolerance(Archive archive) => Costs(archive, "ToleranceBenchmarks", "request", name => name
        .Replace("Tolerant", "Plain", StringComparison.Ordinal).Replace("Completing", "Plain", StringComparison.Ordinal));

    /// <summary>The benchmarks of one class, and what each has more than the one it is compared with.</summary>
    private static string Costs(Archive archive, string type, string title, Func<string, string> baselineOf)
    {
        var rows = archive.Rows("overhead").Where(row => row["benchmark"].StartsWith(type + ".", StringComparison.Ordinal))
            .OrderBy(row => Array.IndexOf(RequestOrder, row["benchmark"])).ToList();
        return Pivot.Columns(
            rows, 1, (title, NameOfRequest), ("ns", row => row["mean ns"]), ("added ns", row => Added(row, "mean ns")),
            ("allocated B", row => row["allocated B"]), ("added B", row => Added(row, "allocated B")));

        string Added(Row row, string column)
        {
            var baseline = $"{type}.{baselineOf(row["benchmark"].Split('.')[1])}";
            return row.Is("benchmark", baseline)
                ? "" : Row.Show(row.Value(column) - rows.Where(other => other.Is("benchmark", baseline)).Single(column));
        }
    }

    private static string Ratios(IReadOnlyCollection<Row> rows, Func<Row, string> rowOf) => Pivot.ToMarkdown(
        rows, "", rowOf, row => row["load"], found => $"{Row.Show(found[0].Value("ratio"))} × ({found[0]["requests/s"]}/s)");
}
