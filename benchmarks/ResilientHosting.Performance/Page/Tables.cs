using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.Performance;

/// <summary>The tables of the page that show something else than all columns of a part.</summary>
internal static partial class Tables
{
    private const string Ours = "ResilientHosting";

    public static readonly IReadOnlyDictionary<string, Func<Archive, string>> All = new Dictionary<string, Func<Archive, string>>
    {
        ["reload-file"] = archive => Reloads(archive.Rows("reload-file"), withEdit: false),
        ["reload-sample"] = archive => Reloads(archive.Rows("reload-sample"), withEdit: false),
        ["reload-mvc"] = archive => Reloads(archive.Rows("reload-mvc"), withEdit: true),
        ["stages"] = archive => Pivot.Columns(
            [.. from part in (string[])["reload-file", "reload-sample", "reload-mvc", "reload-growth"]
                from row in archive.Rows(part, "served by", Ours)
                where row.Value("build ms") is not null
                select row],
            2,
            ("application", row => row["solution"]), ("edit", row => row["edit"]),
            ("save to served", row => Figures.Milliseconds(row.Value("median ms"))),
            ("build", row => Figures.Milliseconds(row.Value("build ms"))), ("stop", row => Figures.Milliseconds(row.Value("stop ms"))),
            ("start", row => Figures.Milliseconds(row.Value("start ms"))), ("the rest", row => Figures.Milliseconds(Rest(row)))),
        ["growth-ours"] = archive => Pivot.ToMarkdown(
            archive.Rows("reload-growth", "served by", Ours), "edit, ResilientHosting", row => row["edit"], row => row["solution"], Time),
        ["growth-peers"] = archive => Pivot.ToMarkdown(
            [.. archive.Rows("reload-growth").Where(row => !row.Is("served by", Ours))],
            "edit, peer", row => $"{row["edit"]}: {row["served by"]}", row => row["solution"], Time),
        ["soak"] = archive => Pivot.Columns(
            [.. archive.Rows("soak").Where(row => !row.Is("after", "all"))], 0,
            ("reloads", row => row["after"]), ("RSS MB", row => row["RSS MB"]), ("managed MB", row => row["managed MB"]),
            ("generations loaded", row => row["generations"]), ("handles", row => row["handles"]), ("sockets", row => row["sockets"]),
            ("threads", row => row["threads"])),
        ["soak-end"] = archive => Pivot.Columns(
            archive.Rows("soak", "after", "all"), 0,
            ("requests", row => row["requests"]), ("failed", row => row["failed"]), ("leaks", row => row["leaks"]),
            ("RSS MB a reload", row => row["RSS MB a reload"]), ("managed MB a reload", row => row["managed MB a reload"])),
        ["sweep"] = archive => Pivot.Columns(
            archive.Rows("sweep"), 0,
            ("files", row => row["Files"]), ("a sweep, ms", row => Row.Show(row.Value("mean ns") / 1e6)),
            ("allocated kB", row => Row.Show(row.Value("allocated B") / 1024))),
        ["pools"] = Pools,
        ["overhead"] = Overhead,
        ["resources"] = Resources,
        ["tolerance"] = Tolerance,
        ["requests-features"] = archive => Ratios(archive.Rows("requests", "endpoint", "/bare"), row => row["application"]),
        ["requests-resources"] = archive => Ratios(
            [.. archive.Rows("requests", "application", "pooled resource")], row => row["endpoint"] switch
            {
                "/nothing" => "does nothing with it",
                "/item" => "uses the object",
                _ => "runs an SQLite query",
            }),
        ["aborts"] = Aborts,
        ["abort-peers"] = archive => Pivot.ToMarkdown(
            archive.Rows("abort-peers"), "server", row => row["server"], row => $"{AbortPaths[row["path"]]}, {Departure(row["leaves by"])}",
            rows => rows[0]["errors reported"] + (rows[0].Value("healthy") == 1 ? "" : ", then dead")),
        ["complete-posts"] = archive => Pivot.ToMarkdown(
            archive.Rows("complete-posts"), "the body, and when the handler reads it",
            row => $"{row["body"]}, {row["the handler reads"]}, {Protocols[row["protocol"]]}", row => Applications[row["application"]], rows => $"{rows[0]["ran once"]} of {rows[0]["posts"]}"),
        ["storm"] = archive => Pivot.ToMarkdown(
            [.. from row in archive.Rows("storm")
                from value in row.Values
                select new Row([("what", value.Key), ("application", row["application"])], [("value", value.Value)])],
            "", row => row["what"], row => Applications[row["application"]], rows => rows[0]["value"]),
        ["production"] = archive => Pivot.Columns(
            archive.Rows("footprint", "environment", "Production"), 1,
            ("features", row => row["application"]), ("first answer ms", row => row["first answer ms"]), ("RSS MB", row => row["RSS MB"])),
        ["development"] = archive => Pivot.Columns(
            archive.Rows("footprint", "environment", "Development"), 1,
            ("started with", row => row["application"]), ("first answer ms", row => row["first answer ms"]), ("RSS MB", row => row["RSS MB"]),
            ("processes", row => row["processes"]), ("RSS MB after 5 edits", row => row["RSS MB after edits"])),
    };

    private static string Reloads(IReadOnlyCollection<Row> rows, bool withEdit)
    {
        double? OursOf(Row row) => rows.Where(other => other.Is("served by", Ours) && other["edit"] == row["edit"]).Single("median ms");

        List<(string Title, Func<Row, string> Cell)> columns =
        [
            ("served by", row => row["served by"]), ("median", row => Figures.Milliseconds(row.Value("median ms"))),
            ("× ours", row => Row.Show(row.Value("median ms") / OursOf(row))),
            ("min–max", row => row.Value("min ms") is null ? "–" : $"{Row.Show(row.Value("min ms"))}–{Row.Show(row.Value("max ms"))}"),
            ("first edit", row => Figures.Milliseconds(row.Value("first ms"))),
            ("failed polls an edit", row => Row.Show(row.Value("failed polls") / row.Value("edits"))),
        ];
        if (withEdit)
        {
            columns.Insert(0, ("edit", row => row["edit"]));
        }

        var ordered = rows.OrderBy(row => row["edit"]).ThenBy(row => row.Value("median ms") ?? double.MaxValue).ToList();
        return Pivot.Columns(ordered, withEdit ? 2 : 1, [.. columns]);
    }

    private static double? Rest(Row row) =>
        row.Value("median ms") - row.Value("build ms") - row.Value("stop ms") - row.Value("start ms") is { } rest ? Math.Max(0, rest) : null;

    private static string Time(IReadOnlyList<Row> rows) => Figures.Milliseconds(rows[0].Value("median ms"));
}
