using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.Performance;

/// <summary>One bar.</summary>
/// <param name="Group">The heading it stands under; empty for none.</param>
/// <param name="Label">What it is.</param>
/// <param name="Value">Its length; <see langword="null"/> if there is no figure.</param>
/// <param name="IsOurs">Whether it stands out.</param>
internal sealed record Bar(string Group, string Label, double? Value, bool IsOurs)
{
    /// <summary>The shortest and the longest that was measured.</summary>
    public (double Low, double High)? Range { get; init; }

    /// <summary>What is said behind the figure.</summary>
    public string Remark { get; init; } = "";

    /// <summary>How figures are shown.</summary>
    public Func<double?, string> Format { get; init; } = Row.Show;
}

/// <summary>Lying bars, in groups, with their figures beside them.</summary>
internal sealed record BarChart(string Title, string Unit, IReadOnlyList<Bar> Bars)
{
    private const double Width = 820;
    private const double Padding = Svg.Padding;
    private const double RowHeight = 24;
    private const double FirstRow = 64;

    // Of the widest of the usual fonts, in bold.
    private const double CharacterWidth = 7.8;

    public bool IsLogarithmic { get; init; }

    public string Draw()
    {
        var groups = Bars.GroupBy(bar => bar.Group).ToList();
        var headings = groups.Count(group => group.Key.Length > 0);
        var rows = Bars.Count + (1.25 * headings);
        var svg = new Svg(Width, FirstRow + (rows * RowHeight) + 40);
        svg.Heading(Title, Unit, IsLogarithmic);

        var left = Padding + (CharacterWidth * Bars.Max(bar => bar.Label.Length)) + 12;
        var longest = Bars.Max(bar => Figure(bar).Length);
        var length = Width - left - (CharacterWidth * longest) - Padding - 12;
        var scale = Scale.Over(
            [.. Bars.SelectMany(bar => (double?[])[bar.Value, bar.Range?.Low, bar.Range?.High]).OfType<double>()], IsLogarithmic);
        foreach (var tick in scale.Ticks())
        {
            var x = left + (scale.At(tick) * length);
            svg.Line(x, FirstRow - 6, x, svg.Height - 32);
            svg.Text(x, svg.Height - 16, Bars[0].Format(tick), size: 11, anchor: "middle", color: Svg.Quiet);
        }

        var y = FirstRow;
        foreach (var group in groups)
        {
            if (group.Key.Length > 0)
            {
                svg.Rectangle(left - 2, y, (CharacterWidth * group.Key.Length) + 10, RowHeight, Svg.Card);
                svg.Text(left, y + 17, group.Key, bold: true);
                y += 1.25 * RowHeight;
            }

            foreach (var bar in group)
            {
                DrawBar(svg, bar, left, length, y, scale);
                y += RowHeight;
            }
        }

        return svg.ToString(Title);
    }

    private static void DrawBar(Svg svg, Bar bar, double left, double length, double y, Scale scale)
    {
        svg.Text(left - 10, y + 16, bar.Label, anchor: "end", bold: bar.IsOurs);
        var end = left;
        if (bar.Value is { } value)
        {
            end = left + (scale.At(value) * length);
            svg.Rectangle(left, y + 4, end - left, RowHeight - 8, bar.IsOurs ? Palette.Ours : Palette.Peer);
        }

        if (bar.Range is var (low, high))
        {
            var middle = y + (RowHeight / 2);
            svg.Line(left + (scale.At(low) * length), middle, left + (scale.At(high) * length), middle, Svg.Ink, 1.5);
            end = Math.Max(end, left + (scale.At(high) * length));
        }

        // On a patch of the card, or the lines of the scale would run through the figure.
        svg.Rectangle(end + 4, y + 4, CharacterWidth * Figure(bar).Length, RowHeight - 8, Svg.Card);
        svg.Text(end + 8, y + 16, Figure(bar), bold: bar.IsOurs);
    }

    private static string Figure(Bar bar) => $"{bar.Format(bar.Value)} {bar.Remark}".TrimEnd();
}
