using System.Globalization;
using System.Text.RegularExpressions;

namespace ResilientHosting.Tests.Documentation;

/// <summary>Reads values as the pages write them: <c>15 s</c>, <c>30,000,000 bytes</c>, <c>64 MiB</c>, <c>`true`</c>, <c>none</c>.</summary>
internal static partial class OptionValue
{
    public static object? Parse(string text, Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (text == "none")
        {
            return null;
        }

        if (Word().Match(text) is { Success: true } word)
        {
            return ParseWord(word.Groups["word"].Value, type);
        }

        var quantity = Quantity().Match(text);
        if (!quantity.Success)
        {
            throw new FormatException($"'{text}' is no value a test can read.");
        }

        var number = double.Parse(
            quantity.Groups["number"].Value, NumberStyles.AllowThousands | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
        var unit = quantity.Groups["unit"].Value;
        return type == typeof(TimeSpan)
            ? TimeSpan.FromSeconds(number * SecondsIn(unit, isZero: number == 0))
            : Convert.ChangeType(number * OnesIn(unit), type, CultureInfo.InvariantCulture);
    }

    private static object? ParseWord(string word, Type type) => type switch
    {
        _ when type == typeof(bool) => bool.Parse(word),
        _ when type == typeof(string) => word,
        { IsEnum: true } => Enum.Parse(type, word),
        // A value that its type has a property for, such as ClientAbortPolicy.Cancel.
        _ => (type.GetProperty(word[(type.Name.Length + 1)..]) ?? throw new FormatException($"{type.Name} has no {word}.")).GetValue(null),
    };

    private static double SecondsIn(string unit, bool isZero) => unit switch
    {
        "ms" => 0.001,
        "s" => 1,
        "min" => 60,
        "h" => 3600,
        "day" => 86_400,
        "" when isZero => 0,
        _ => throw new FormatException($"'{unit}' is no unit of time."),
    };

    private static double OnesIn(string unit) => unit switch
    {
        "" or "bytes" or "byte" => 1,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => throw new FormatException($"'{unit}' is no unit of size."),
    };

    [GeneratedRegex("^`(?<word>[^`]+)`$")]
    private static partial Regex Word();

    [GeneratedRegex(@"^(?<number>[\d.,]+)( (?<unit>\w+))?$")]
    private static partial Regex Quantity();
}
