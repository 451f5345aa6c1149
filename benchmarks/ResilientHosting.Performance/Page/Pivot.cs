using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.Performance;

/// <summary>Makes tables out of rows. Of no rows, none.</summary>
internal static class Pivot
{
    /// <summary>Shows one figure: rows by one thing, columns by another, both in the order in which they were measured.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="corner">The heading of the first column.</param>
    /// <param name="rowOf">What a row of the table is.</param>
    /// <param name="columnOf">What a column of the table is.</param>
    /// <param name="cell">The text of a cell, from the rows that belong in it.</param>
    public static string ToMarkdown(
        IReadOnlyCollection<Row> rows,
        string corner,
        Func<Row, string> rowOf,
        Func<Row, string> columnOf,
        Func<IReadOnlyList<Row>, string> cell)
    {
        string[] columns = [.. rows.Select(columnOf).Distinct()];
        return columns.Length == 0 ? "" : new Table(
            [corner, .. columns],
            [.. rows.GroupBy(rowOf).Select(group => (string[])
            [
                group.Key,
                .. columns.Select(column => group.Where(row => columnOf(row) == column).ToList() is { Count: > 0 } found ? cell(found) : ""),
            ])])
        {
            TextColumns = 1,
        }.ToMarkdown();
    }

    /// <summary>Shows some columns of the rows as they are.</summary>
    public static string Columns(
        IReadOnlyCollection<Row> rows, int textColumns, params (string Title, Func<Row, string> Cell)[] columns) => rows.Count == 0 ? "" : new Table(
        [.. columns.Select(column => column.Title)], [.. rows.Select(row => columns.Select(column => column.Cell(row)).ToArray())])
    {
        TextColumns = textColumns,
    }.ToMarkdown();

    /// <summary>Shows every column.</summary>
    public static string Everything(IReadOnlyList<Row> rows) => rows.Count == 0 ? "" : Table.Of(rows).ToMarkdown();
}
