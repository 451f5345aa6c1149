using System.Text.RegularExpressions;

namespace ResilientHosting.Tests.Documentation;

/// <summary>
/// A range as the pages write it: <c>0 to 5 s</c>, <c>above 0, at most 1 day</c>, <c>at least 1</c>, with <c>, or infinite</c> or
/// <c>, or none</c> for values beside it. A limit can be another option, whose default counts.
/// </summary>
internal sealed partial record OptionRange(object? Least, bool LeastIsInside, object? Most)
{
    public static OptionRange Parse(DocumentedOption option)
    {
        var match = Pattern().Match(option.Range);
        if (!match.Success)
        {
            throw new FormatException($"{option.Place}: '{option.Range}' is no range a test can read.");
        }

        return new OptionRange(
            Limit("from") ?? Limit("above") ?? Limit("least"), !match.Groups["above"].Success, Limit("to") ?? Limit("most"));

        object? Limit(string group)
        {
            var text = match.Groups[group].Value;
            return text.Length == 0 ? null : text[0] == '`' ? option.ValueOf(text.Trim('`')) : OptionValue.Parse(text, option.ValueType);
        }
    }

    /// <summary>Gets the outermost values that are allowed.</summary>
    public IEnumerable<object> Inside => new[] { LeastIsInside ? Least : Step(Least, 1), Most }.OfType<object>();

    /// <summary>Gets the first values that are not.</summary>
    public IEnumerable<object> Outside => new[] { LeastIsInside ? Step(Least, -1) : Least, Step(Most, 1) }.OfType<object>();

    private static object? Step(object? from, int steps) => from switch
    {
        null => null,
        TimeSpan time => time + TimeSpan.FromTicks(steps),
        int number => number + steps,
        long number => number + steps,
        double number => number + steps * 0.001,
        _ => throw new NotSupportedException($"Say what comes after {from}."),
    };

    // A comma ends a limit, unless it stands in a number.
    [GeneratedRegex(
        """
        ^( (?<from>[^,]+)[ ]to[ ](?<to>[\d.,]+(?:[ ]\w+)?|`[^`]+`)
         | above[ ](?<above>[^,]+)(,[ ]at[ ]most[ ](?<most>[^,]+))?
         | at[ ]least[ ](?<least>[^,]+)
         )(,[ ]or[ ](infinite|none))?$
        """,
        RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Pattern();
}
