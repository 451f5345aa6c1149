using System.Globalization;
using System.Security;
using System.Text;

namespace ResilientHosting.Performance;

/// <summary>
/// A drawing. It brings its own light card as a background, so that it reads the same on a light page and on a dark one: a picture in a
/// page is not told which of the two it is on.
/// </summary>
internal sealed class Svg(double width, double height)
{
    public const double Padding = 20;
    public const string Ink = "#1f2328";
    public const string Quiet = "#59636e";
    public const string Grid = "#e3e7eb";
    public const string Leader = "#c3cad1";
    public const string Card = "#ffffff";

    private readonly StringBuilder _elements = new();

    public double Width => width;

    public double Height => height;

    /// <summary>What a chart shows, and the unit of its figures.</summary>
    public void Heading(string title, string unit, bool isLogarithmic)
    {
        Text(Padding, 28, title, size: 16, bold: true);
        Text(Padding, 48, isLogarithmic ? $"{unit}, each line ten times the one before" : unit, size: 12, color: Quiet);
    }

    public void Text(double x, double y, string text, double size = 13, string anchor = "start", string color = Ink, bool bold = false) =>
        _elements.AppendLine(CultureInfo.InvariantCulture, $"""<text x="{x:0.#}" y="{y:0.#}" font-size="{size}" text-anchor="{anchor}" fill="{color}"{(bold ? " font-weight=\"600\"" : "")}>{SecurityElement.Escape(text)}</text>""");

    public void Line(double x1, double y1, double x2, double y2, string color = Grid, double thickness = 1) =>
        _elements.AppendLine(CultureInfo.InvariantCulture, $"""<line x1="{x1:0.#}" y1="{y1:0.#}" x2="{x2:0.#}" y2="{y2:0.#}" stroke="{color}" stroke-width="{thickness}"/>""");

    public void Rectangle(double x, double y, double rectangleWidth, double rectangleHeight, string color) =>
        _elements.AppendLine(CultureInfo.InvariantCulture, $"""<rect x="{x:0.#}" y="{y:0.#}" width="{Math.Max(1, rectangleWidth):0.#}" height="{rectangleHeight:0.#}" rx="2" fill="{color}"/>""");

    public void Polyline(IEnumerable<(double X, double Y)> points, string color, bool dashed)
    {
        var list = string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{point.X:0.#},{point.Y:0.#}")));
        _elements.AppendLine(CultureInfo.InvariantCulture, $"""<polyline points="{list}" fill="none" stroke="{color}" stroke-width="2.5"{(dashed ? " stroke-dasharray=\"6 4\"" : "")}/>""");
    }

    public void Dot(double x, double y, string color) =>
        _elements.AppendLine(CultureInfo.InvariantCulture, $"""<circle cx="{x:0.#}" cy="{y:0.#}" r="4" fill="{color}" stroke="{Card}" stroke-width="1.5"/>""");

    /// <summary>The finished picture.</summary>
    /// <param name="title">What it shows, for those who can't see it.</param>
    public string ToString(string title) => string.Create(CultureInfo.InvariantCulture, $"""
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:0} {height:0}" width="{width:0}" height="{height:0}" role="img" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">
        <title>{SecurityElement.Escape(title)}</title>
        <rect x="0.5" y="0.5" width="{width - 1:0}" height="{height - 1:0}" rx="8" fill="{Card}" stroke="#d1d9e0"/>
        {_elements}</svg>

        """);
}
