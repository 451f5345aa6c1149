using System.Text;
using System.Text.RegularExpressions;

namespace ResilientHosting.Reloading;

/// <summary>
/// Text that the compiler or the application wrote, fit to be shown. Colours for terminals are taken out; what else a terminal, a
/// browser or a reader would be led astray by (control characters, reversed text, half a letter) becomes visible.
/// </summary>
internal static partial class PlainText
{
    private const char Replacement = '\uFFFD';

    // U+2400 and following are pictures of the control characters, in the same order.
    private const char ControlPictures = '\u2400';
    private const char DeletePicture = '\u2421';

    /// <param name="text">Text of one line or several.</param>
    /// <param name="limit">How many characters are shown at most.</param>
    public static string Of(string text, int limit)
    {
        // Looked at before it is cleaned: a message may be as long as memory allows.
        var start = text.Length <= 4 * limit ? text : text[..(4 * limit)];
        var plain = Mend(EscapeSequence().Replace(start, "").ReplaceLineEndings("\n"));
        return plain.Length <= limit && start.Length == text.Length ? plain : Mend(plain[..Math.Min(limit, plain.Length)]) + "…";
    }

    /// <summary>Replaces each character that is unfit by one that is fit, so that columns stay what they are.</summary>
    public static string Mend(string text)
    {
        var mended = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
            {
                mended.Append(text, i++, 2);
            }
            else
            {
                mended.Append(Mend(text[i]));
            }
        }

        return mended.ToString();
    }

    private static char Mend(char letter) => letter switch
    {
        '\t' or '\n' => letter,
        < ' ' => (char)(ControlPictures + letter),
        '\u007F' => DeletePicture,
        _ when char.IsControl(letter) || char.IsSurrogate(letter) || IsDirection(letter) => Replacement,
        _ => letter,
    };

    /// <summary>Whether it embeds, overrides or isolates a direction: with those, code reads differently from what it does.</summary>
    private static bool IsDirection(char letter) => letter is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    [GeneratedRegex(@"(?:\e\[|\u009B)[0-?]*[ -/]*[@-~]|(?:\e\]|\u009D)[^\a\e]*(?:\a|\e\\)|\e[@-Z\\-_]")]
    private static partial Regex EscapeSequence();
}
