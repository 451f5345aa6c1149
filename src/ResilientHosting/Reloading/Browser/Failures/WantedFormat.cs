using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace ResilientHosting.Reloading;

/// <summary>Whether an answer of ours is for a person or a program, by what the request says it accepts.</summary>
internal static class WantedFormat
{
    private static readonly MediaTypeHeaderValue Page = new("text/html") { Charset = "utf-8" };

    private static readonly MediaTypeHeaderValue[] Data = [new("application/problem+json"), new("application/json")];

    /// <summary>
    /// Whether a page is wanted more than data. Who takes anything is a program; among equals the one that is named wins, and data if
    /// both or neither are.
    /// </summary>
    public static bool IsPage(StringValues accept)
    {
        if (!MediaTypeHeaderValue.TryParseList(accept, out var ranges))
        {
            return false;
        }

        var page = Preference(Page);
        var data = Data.Select(Preference).Max();
        return page.Quality > 0 && page.CompareTo(data) > 0;

        (double Quality, int Precision) Preference(MediaTypeHeaderValue type)
        {
            // The most precise range decides, however little it is wanted.
            var range = ranges.Where(type.IsSubsetOf).MaxBy(PrecisionOf);
            return range is null ? (0, 0) : (range.Quality ?? 1, PrecisionOf(range));
        }

        static int PrecisionOf(MediaTypeHeaderValue range) => range.MatchesAllTypes ? 0 : range.MatchesAllSubTypes ? 1 : 2;
    }
}
