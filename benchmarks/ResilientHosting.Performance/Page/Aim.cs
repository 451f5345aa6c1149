using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.Performance;

/// <summary>What was aimed at.</summary>
/// <param name="Id">What the template calls it.</param>
/// <param name="What">What is measured.</param>
/// <param name="Bound">The figure that it may at most have; with <paramref name="IsMinimum"/>, that it must at least have.</param>
/// <param name="Unit">The unit of the figures.</param>
/// <param name="Measure">Finds the figure in the results.</param>
/// <param name="IsMinimum">Whether more is better.</param>
internal sealed record Aim(string Id, string What, double Bound, string Unit, Func<Archive, double?> Measure, bool IsMinimum = false)
{
    private const string Reloaded = "ResilientHosting";
    private const double Milli = 1e6;

    public static readonly Aim[] All =
    [
        new("sample", "save to served, the sample", 50, "ms", archive => Reload(archive, "reload-sample", "Program.cs")),
        new("first", "the first edit of the sample", 300, "ms", archive => Reload(archive, "reload-sample", "Program.cs", column: "first ms")),
        new("delta", "the sample against a delta of `dotnet watch`", 1, "×", archive =>
            Reload(archive, "reload-sample", "Program.cs") / Reload(archive, "reload-sample", "Program.cs", "dotnet watch, delta")),
        new("restart", "a restart by `dotnet watch` against ours, the sample", 50, "×", archive =>
            Reload(archive, "reload-sample", "Program.cs", "dotnet watch, restart") / Reload(archive, "reload-sample", "Program.cs"),
            IsMinimum: true),
        new("controller", "save to served, an MVC controller", 100, "ms", archive => Reload(archive, "reload-mvc", "controller")),
        new("view", "save to served, an MVC view", 100, "ms", archive => Reload(archive, "reload-mvc", ".cshtml")),
        new("growth", "an edit in a method at 300 files, against 10", 1.2, "×", archive => Growth(archive, "300 files")),
        new("growth1000", "the same at 1,000 files", 1.2, "×", archive => Growth(archive, "1000 files")),
        new("sweep", "a sweep of 5,000 files", 15, "ms", archive =>
            archive.Rows("sweep", "Files", "5000").Single("mean ns") / Milli),
        new("lost", "requests lost in swaps under load", 0, "", archive => Sum(archive.Rows("swaps"), "failed")),
        new("soak", "memory that a reload leaves behind", 0.5, "MB", archive =>
            archive.Rows("soak", "after", "all").Single("RSS MB a reload")),
        new("pool", "the pool against `ObjectPool`, one thread", 4, "×", archive => Pool(archive, "1", "ObjectPool")),
        new("channel", "the pool against a channel, one thread", 1, "×", archive => Pool(archive, "1", "ChannelPool")),
        new("channel2", "the pool against a channel, two threads", 1, "×", archive => Pool(archive, "2", "ChannelPool")),
        new("semaphore", "the pool against a semaphore, one thread", 1, "×", archive => Pool(archive, "1", "SemaphorePool")),
        new("get", "a repeated `GetAsync`", 20, "ns", archive => Benchmark(archive, "RepeatedGetBenchmarks.RepeatedGet", "mean ns")),
        new("query", "requests a second with a query over a pooled resource, against a scoped service, at the worse load", 0.98, "×",
            archive => archive.Rows("requests", "endpoint", "/query").Where(row => row.Is("application", "pooled resource"))
                .Min(row => row.Value("ratio")),
            IsMinimum: true),
        new("unused", "allocated by a resource that a request does not use", 0, "B", archive =>
            Benchmark(archive, "ResourceBenchmarks.UnusedResource") - Benchmark(archive, "ResourceBenchmarks.Endpoint")),
        new("overrun", "the longest wait beyond the deadline in an outage", 50, "ms", archive => Worst(archive, "overrun ms")),
        new("recovered", "from the end of an outage to the first success", 1000, "ms", archive => Worst(archive, "recovered ms")),
        new("leaked", "slots that the pool has lost after all outages", 0, "", archive =>
            Sum(archive.Rows("outages", "pool", Reloaded), "leaked")),
        new("spike", "objects made for 50 requests at once", 7, "", archive => archive.Rows("spike", "pool", Reloaded).Single("objects")),
        new("lines", "log lines at Warning or above from clients that leave, with the tolerance", 0, "", archive =>
            Sum([.. archive.Rows("aborts").Where(row => row["application"].StartsWith("ours", StringComparison.Ordinal))],
                "lines at Warning or above")),
        new("storm", "the slowest hundredth of healthy requests in a storm, against calm", 1.1, "×", archive =>
            archive.Rows("storm", "application", "ours + handler").Single("p99 ratio")),
        new("tolerance", "the tolerance on a request that is not aborted", 1000, "ns", archive =>
            Benchmark(archive, "ToleranceBenchmarks.Tolerant", "mean ns") - Benchmark(archive, "ToleranceBenchmarks.Plain", "mean ns")),
    ];

    /// <summary>Whether it was reached; <see langword="null"/> where it was not measured.</summary>
    public bool? IsMet(Archive archive) => Measure(archive) is { } figure ? IsMinimum ? figure >= Bound : figure <= Bound : null;

    /// <summary>All aims with their verdicts.</summary>
    public static string Verdicts(Archive archive) => new Table(
        ["", "aim", "measured", "verdict"],
        [.. All.Select(aim => (string[])
        [
            aim.What,
            $"{(aim.IsMinimum ? "at least" : aim.Bound == 0 ? "" : "at most")} {Row.Show(aim.Bound)} {aim.Unit}".Trim(),
            aim.Measure(archive) is { } figure ? $"{Row.Show(figure)} {aim.Unit}".Trim() : "–",
            aim.IsMet(archive) switch { true => "met", false => "**missed**", null => "not measured" },
        ])])
    {
        TextColumns = 1,
    }.ToMarkdown();

    private static double? Reload(
        Archive archive, string part, string edit, string servedBy = Reloaded, string column = "median ms") =>
        archive.Rows(part, "served by", servedBy).Where(row => row.Is("edit", edit)).Single(column);

    private static double? Growth(Archive archive, string solution)
    {
        double? Of(string size) => archive.Rows("reload-growth", "solution", size)
            .Where(row => row.Is("served by", Reloaded) && row.Is("edit", "app, body")).Single("median ms");

        return Of(solution) / Of("10 files");
    }

    private static double? Pool(Archive archive, string threads, string peer)
    {
        var rows = archive.Rows("pools", "Threads", threads);
        return rows.Where(row => row.Is("benchmark", "PoolBenchmarks.ResilientHosting")).Single("mean ns")
            / rows.Where(row => row.Is("benchmark", $"PoolBenchmarks.{peer}")).Single("mean ns");
    }

    private static double? Benchmark(Archive archive, string name, string column = "allocated B") =>
        archive.Rows("overhead", "benchmark", name).Single(column);

    private static double? Worst(Archive archive, string column) =>
        archive.Rows("outages", "pool", Reloaded).Max(row => row.Value(column));

    private static double? Sum(IReadOnlyCollection<Row> rows, string column) => rows.Count == 0 ? null : rows.Sum(row => row.Value(column));
}
