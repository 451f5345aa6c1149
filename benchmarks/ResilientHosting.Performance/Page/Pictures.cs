using System.Globalization;
using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.Performance;

/// <summary>The pictures of the page. Without results there is none.</summary>
internal static class Pictures
{
    private const string Ours = "ResilientHosting";

    public static readonly IReadOnlyDictionary<string, Func<Archive, (string Title, string? Svg)>> All =
        new Dictionary<string, Func<Archive, (string, string?)>>
    {
        ["reload-file"] = archive => Bars(
            "From saving one file to the new answer", "time", archive.Rows("reload-file"), Reload, isLogarithmic: true,
            sort: row => row.Value("median ms") ?? double.MaxValue),
        ["reload-apps"] = archive => Bars(
            "From saving to the new answer: the sample, and the MVC template", "time",
            [.. archive.Rows("reload-sample"), .. archive.Rows("reload-mvc")],
            row => Reload(row) with { Group = $"{row["solution"]}, {row["edit"]}" }, isLogarithmic: true),
        ["reload-growth"] = Growth,
        ["soak"] = archive => Lines(
            "Memory after so many reloads", "reloads", "megabytes",
            [
                new Series("of the process (RSS)", Points(archive, "RSS MB"), Palette.Ours, IsDashed: false),
                new Series("managed objects", Points(archive, "managed MB"), Palette.Of(1), IsDashed: false),
            ]),
        ["pools"] = archive => Bars(
            "Acquire and release while objects are idle", "nanoseconds", archive.Rows("pools"), row => new Bar(
                row["Threads"] == "1" ? "1 thread" : $"{row["Threads"]} threads", row["benchmark"].Split('.')[1] switch
                {
                    "ChannelPool" => "on a Channel",
                    "SemaphorePool" => "SemaphoreSlim and stack",
                    var name => name,
                },
                row.Value("mean ns"), row["benchmark"].EndsWith(Ours, StringComparison.Ordinal)) { Remark = "ns" }),
        ["outages"] = archive => Bars(
            "Connects a second while the database is away", "connects a second", archive.Rows("outages"),
            row => new Bar(row["fault"], row["pool"], row.Value("dials/s"), row.Is("pool", Ours)), isLogarithmic: true),
        ["overhead"] = archive => Bars(
            "One request that does nothing, in Production", "nanoseconds, without the server",
            [.. archive.Rows("overhead").Where(row => row["benchmark"].StartsWith("FeatureBenchmarks", StringComparison.Ordinal))],
            row => new Bar("", Tables.NameOfRequest(row), row.Value("mean ns"), !row["benchmark"].EndsWith(".None", StringComparison.Ordinal))
            {
                Remark = $"ns, {row["allocated B"]} B",
            }),
        ["footprint"] = archive => Bars(
            "Memory after the first answer", "megabytes, all processes of the application together", archive.Rows("footprint"),
            row => new Bar(row["environment"], row["application"], row.Value("RSS MB"), IsOurs(row))
            {
                Remark = $"MB{(row.Value("processes") > 1 ? $" in {row["processes"]} processes" : "")}",
            }),
        ["aborts"] = archive => Bars(
            "Errors reported for clients that leave in the middle of an upload", "reports for each hundred aborts",
            archive.Rows("abort-peers", "path", "/raw"),
            row => new Bar(
                row.Is("leaves by", "Fin") ? "the client closes (FIN)" : "the client resets (RST)", row["server"],
                100 * row.Value("errors reported") / row.Value("aborts"), row["server"].EndsWith(Ours, StringComparison.Ordinal)),
            sort: row => row["leaves by"]),
    };

    private static Bar Reload(Row row) => new("", row["served by"], row.Value("median ms"), row.Is("served by", Ours))
    {
        Range = row.Value("min ms") is { } low && row.Value("max ms") is { } high ? (low, high) : null,
        Format = Figures.Milliseconds,
        Remark = row.Value("median ms") is null ? "not served" : row.Value("failed polls") > 0 ? "and requests fail" : "",
    };

    private static bool IsOurs(Row row) => row["application"] is not ("none" or "dotnet run" or "dotnet watch");

    private static (string Title, string? Svg) Bars(
        string title, string unit, IReadOnlyList<Row> rows, Func<Row, Bar> toBar, bool isLogarithmic = false,
        Func<Row, IComparable>? sort = null) =>
        (title, rows.Count == 0 ? null : new BarChart(title, unit, [.. rows.OrderBy(sort ?? (_ => 0)).Select(toBar)])
        {
            IsLogarithmic = isLogarithmic,
        }.Draw());

    private static (string Title, string? Svg) Lines(
        string title, string x, string y, IReadOnlyList<Series> lines, bool isLogarithmic = false, Func<double?, string>? format = null) =>
        (title, lines.All(line => line.Points.Count == 0) ? null : new LineChart(title, x, y, lines)
        {
            IsLogarithmic = isLogarithmic, Format = format ?? Row.Show,
        }.Draw());

    private static (string Title, string? Svg) Growth(Archive archive)
    {
        var ours = 0;
        var lines = archive.Rows("reload-growth").GroupBy(row => (Server: row["served by"], Edit: row["edit"]))
            .Where(group => group.Key.Server == Ours || group.Key.Edit == "app, body")
            .Select(group => group.Key.Server == Ours
                ? new Series(group.Key.Edit, Sizes(group), group.Key.Edit == "app, body" ? Palette.Ours : Palette.Of(ours++), IsDashed: false)
                : new Series($"{group.Key.Edit}: {group.Key.Server}", Sizes(group), Palette.Peer, IsDashed: true))
            .ToList();
        return Lines(
            "From saving to the new answer, as the application grows", "source files", "time", lines, isLogarithmic: true,
            Figures.Milliseconds);
    }

    private static List<(double X, double Y)> Sizes(IEnumerable<Row> rows) =>
    [
        .. from row in rows
           where row.Value("median ms") is not null
           select (Number(row["solution"].Split(' ')[0]), row.Value("median ms")!.Value),
    ];

    private static List<(double X, double Y)> Points(Archive archive, string column) =>
    [
        .. from row in archive.Rows("soak")
           where !row.Is("after", "all")
           select (Number(row["after"]), row.Value(column) ?? 0),
    ];

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
