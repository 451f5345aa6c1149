using System.Text.RegularExpressions;

namespace ResilientHosting.Performance;

/// <summary>
/// A page with gaps. <c>{{kind name}}</c> is filled in; what stands between <c>{{#missed aim}}</c> and <c>{{/missed}}</c> is there only if the
/// aim was missed, and says why.
/// </summary>
internal sealed partial class Template(string text)
{
    /// <summary>Whether there is a text for an aim that was missed.</summary>
    public bool Explains(string aim) => Condition().Matches(text).Any(match => match.Groups["aim"].Value == aim);

    /// <param name="fill">Gives the text for a kind and a name.</param>
    /// <param name="isMissed">Tells whether an aim was missed.</param>
    public string Fill(Func<string, string, string> fill, Func<string, bool> isMissed)
    {
        var chosen = Condition().Replace(text, match => isMissed(match.Groups["aim"].Value) ? match.Groups["text"].Value + "\n" : "");
        var filled = Gap().Replace(chosen, match => fill(match.Groups["kind"].Value, match.Groups["name"].Value).TrimEnd());
        return filled.Contains("{{", StringComparison.Ordinal)
            ? throw new FormatException($"The template has a gap that nothing fills, behind \"{Before(filled)}\".")
            : SeveralEmptyLines().Replace(filled, "\n\n");
    }

    private static string Before(string text) => text[..text.IndexOf("{{", StringComparison.Ordinal)].Split('\n')[^1];

    [GeneratedRegex(@"\{\{#missed (?<aim>[\w-]+)\}\}\n?(?<text>.*?)\{\{/missed\}\}\n?", RegexOptions.Singleline)]
    private static partial Regex Condition();

    [GeneratedRegex(@"\{\{(?<kind>\w+)(?: (?<name>[\w-]+))?\}\}")]
    private static partial Regex Gap();

    [GeneratedRegex(@"\n{3,}")]
    private static partial Regex SeveralEmptyLines();
}
