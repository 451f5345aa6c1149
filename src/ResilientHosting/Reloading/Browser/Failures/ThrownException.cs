using System.Globalization;
using System.Text.RegularExpressions;

namespace ResilientHosting.Reloading;

/// <summary>
/// What an exception says. Text alone: an exception that is kept keeps the generation loaded that threw it.
/// </summary>
/// <param name="Type">The full name of its type.</param>
/// <param name="Message">The message.</param>
/// <param name="OwnFrames">The calls that are in the developer's own code, the innermost first.</param>
/// <param name="Stack">All calls, a line each, as the runtime prints them.</param>
/// <param name="Causes">All exceptions inside it, from the outside in; they have no causes of their own here.</param>
internal sealed partial record ThrownException(
    string Type, string Message, IReadOnlyList<OwnFrame> OwnFrames, IReadOnlyList<string> Stack, IReadOnlyList<ThrownException> Causes)
{
    private const int LongestMessage = 4_000;
    private const int LongestLine = 500;
    private const int MostLines = 100;
    private const int MostOwnFrames = 10;
    private const int MostCauses = 9;

    public static ThrownException Read(Exception exception, CodePlaces places) =>
        ReadAlone(exception, places) with { Causes = [.. CausesOf(exception).Take(MostCauses).Select(cause => ReadAlone(cause, places))] };

    /// <summary>All that it says, as the runtime prints it.</summary>
    public static string TextOf(Exception exception) => Ask(static asked => asked.ToString(), exception);

    private static ThrownException ReadAlone(Exception exception, CodePlaces places)
    {
        var lines = Ask(static asked => asked.StackTrace, exception).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return new ThrownException(
            PlainText.Of(exception.GetType().ToString(), LongestLine),
            PlainText.Of(Ask(static asked => asked.Message, exception), LongestMessage),
            [
                .. lines.Select(line => FrameLine().Match(line))
                    .Where(frame => frame.Success && places.IsOwn(frame.Groups["file"].Value))
                    .Take(MostOwnFrames)
                    .Select(frame => new OwnFrame(
                        PlainText.Of(frame.Groups["method"].Value, LongestLine),
                        places.Find(frame.Groups["file"].Value, int.Parse(frame.Groups["line"].ValueSpan, CultureInfo.InvariantCulture), 0))),
            ],
            [
                .. lines.Take(MostLines).Select(line => PlainText.Of(line, LongestLine)),
                .. lines.Length > MostLines ? [$"… {lines.Length - MostLines} more"] : Array.Empty<string>(),
            ],
            []);
    }

    /// <summary>From the outside in.</summary>
    private static IEnumerable<Exception> CausesOf(Exception exception)
    {
        IEnumerable<Exception> direct = exception is AggregateException several ? several.InnerExceptions
            : exception.InnerException is { } one ? [one] : [];
        foreach (var cause in direct)
        {
            yield return cause;
            foreach (var deeper in CausesOf(cause))
            {
                yield return deeper;
            }
        }
    }

    private static string Ask(Func<Exception, string?> question, Exception exception)
    {
        try
        {
            return question(exception) ?? "";
        }
#pragma warning disable CA1031 // The application may have written these properties itself, and they may throw anything.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return $"({exception.GetType()} can't be read: {e.GetType()})";
        }
    }

    // The signature ends at the first closing bracket that a file or nothing follows.
    [GeneratedRegex(@"^at (?<method>.+?\)) in (?<file>.+):line (?<line>\d{1,9})$")]
    private static partial Regex FrameLine();
}

/// <summary>A call in the developer's own code.</summary>
internal sealed record OwnFrame(string Method, CodePlace Place);
