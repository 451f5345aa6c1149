using System.Globalization;
using System.Text.Json.Serialization;

namespace ResilientHosting.Benchmarks.Reporting;

/// <summary>One line of results: what was measured, and what came out.</summary>
/// <param name="Labels">What tells it from the other rows, by column.</param>
/// <param name="Values">
/// The figures, by column; the name of a column holds its unit. One that could not be had is <see langword="null"/>.
/// </param>
[method: JsonConstructor]
internal sealed record Row(IReadOnlyDictionary<string, string> Labels, IReadOnlyDictionary<string, double?> Values)
{
    public Row((string Name, string Text)[] labels, (string Name, double? Value)[] values)
        : this(
            labels.ToDictionary(label => label.Name, label => label.Text),
            values.ToDictionary(value => value.Name, value => Rounded(value.Value)))
    {
    }

    /// <summary>Gets a label or a figure as it is shown.</summary>
    [JsonIgnore]
    public string this[string column] => Labels.TryGetValue(column, out var text) ? text : Show(Values.GetValueOrDefault(column));

    /// <summary>Gets a figure.</summary>
    public double? Value(string column) => Values.GetValueOrDefault(column);

    public bool Is(string label, string text) => Labels.GetValueOrDefault(label) == text;

    /// <summary>Shows about three digits, so that nobody takes a figure for more exact than it is.</summary>
    public static string Show(double? value) => value switch
    {
        null => "–",
        { } small when Math.Abs(small) < 10 => small.ToString("0.##", CultureInfo.InvariantCulture),
        { } medium when Math.Abs(medium) < 100 => medium.ToString("0.#", CultureInfo.InvariantCulture),
        { } large => large.ToString("N0", CultureInfo.InvariantCulture),
    };

    private static double? Rounded(double? value) => value is { } known && double.IsFinite(known) ? Math.Round(known, 4) : null;
}
