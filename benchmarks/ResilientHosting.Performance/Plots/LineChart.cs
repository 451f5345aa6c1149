using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.Performance;

/// <summary>One line of a chart.</summary>
/// <param name="Label">What it is; stands at its end.</param>
/// <param name="Points">Its points, from left to right.</param>
/// <param name="Color">Its colour.</param>
/// <param name="IsDashed">Whether it is dashed: a peer's.</param>
internal sealed record Series(string Label, IReadOnlyList<(double X, double Y)> Points, string Color, bool IsDashed);

/// <summary>Lines over a scale, each named at its end.</summary>
internal sealed record LineChart(string Title, string XAxis, string YAxis, IReadOnlyList<Series> Lines)
{
    private const double Width = 820;
    private const double Height = 440;
    private const double Left = 70;
    private const double Right = 270;
    private const double Top = 70;
    private const double Bottom = 60;
    private const double LabelHeight = 17;

    public bool IsLogarithmic { get; init; }

    /// <summary>How the figures beside the chart are shown.</summary>
    public Func<double?, string> Format { get; init; } = Row.Show;

    public string Draw()
    {
        var svg = new Svg(Width, Height);
        svg.Heading(Title, YAxis, IsLogarithmic);
        var points = Lines.SelectMany(line => line.Points).ToList();
        var y = Scale.Over([.. points.Select(point => point.Y)], IsLogarithmic);
        var x = Scale.Over([.. points.Select(point => point.X)], IsLogarithmic);
        double Across(double value) => Left + (x.At(value) * (Width - Left - Right));
        double Down(double value) => Height - Bottom - (y.At(value) * (Height - Top - Bottom));

        foreach (var tick in y.Ticks())
        {
            svg.Line(Left, Down(tick), Width - Right, Down(tick));
            svg.Text(Left - 8, Down(tick) + 4, Format(tick), size: 11, anchor: "end", color: Svg.Quiet);
        }

        foreach (var tick in points.Select(point => point.X).Distinct().Order())
        {
            svg.Text(Across(tick), Height - Bottom + 20, Row.Show(tick), size: 11, anchor: "middle", color: Svg.Quiet);
        }

        svg.Text(Left, Height - 16, XAxis, size: 12, color: Svg.Quiet);

        // From the top down, each no higher than below the one before it.
        var free = 0d;
        foreach (var line in Lines.Where(line => line.Points.Count > 0).OrderBy(line => Down(line.Points[^1].Y)))
        {
            svg.Polyline(line.Points.Select(point => (Across(point.X), Down(point.Y))), line.Color, line.IsDashed);
            foreach (var point in line.Points)
            {
                svg.Dot(Across(point.X), Down(point.Y), line.Color);
            }

            var last = line.Points[^1];
            var place = Math.Max(Down(last.Y) + 4, free);
            svg.Line(Across(last.X) + 6, Down(last.Y), Width - Right + 14, place - 4, Svg.Leader);
            svg.Text(Width - Right + 18, place, line.Label, size: 12, color: line.IsDashed ? Svg.Quiet : line.Color, bold: !line.IsDashed);
            free = place + LabelHeight;
        }

        return svg.ToString(Title);
    }
}
