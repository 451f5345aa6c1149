using System.Text;

namespace ResilientHosting.Benchmarks.Reporting;

/// <summary>A table as aligned text, and as Markdown.</summary>
internal sealed record Table(string[] Header, IReadOnlyList<string[]> Rows)
{
    /// <summary>How many of the columns are text, from the left; the others are figures.</summary>
    public int TextColumns { get; init; } = 2;

    /// <summary>All columns of the rows.</summary>
    public static Table Of(IReadOnlyList<Row> rows)
    {
        string[] labels = [.. rows.SelectMany(row => row.Labels.Keys).Distinct()];
        string[] values = [.. rows.SelectMany(row => row.Values.Keys).Distinct()];
        string[] columns = [.. labels, .. values];
        return new Table(columns, [.. rows.Select(row => columns.Select(column => row[column]).ToArray())]) { TextColumns = labels.Length };
    }

    public string ToText()
    {
        var widths = Header.Select((title, column) => Rows.Select(row => row[column].Length).Append(title.Length).Max()).ToArray();
        var text = new StringBuilder();
        foreach (var row in Rows.Prepend(Header))
        {
            var cells = row.Select((cell, column) => column < TextColumns ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]));
            text.AppendLine(string.Join("  ", cells).TrimEnd());
        }

        return text.ToString();
    }

    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append("| ").AppendJoin(" | ", Header).AppendLine(" |");
        text.Append('|').AppendJoin('|', Header.Select((_, column) => column < TextColumns ? "---" : "--:")).AppendLine("|");
        foreach (var row in Rows)
        {
            text.Append("| ").AppendJoin(" | ", row).AppendLine(" |");
        }

        return text.ToString();
    }
}
