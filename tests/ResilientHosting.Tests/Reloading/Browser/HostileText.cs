using System.Text;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Texts that were made to break out of wherever they are put. Each that runs as a script sets <c>window.broken</c>.</summary>
internal static class HostileText
{
    private static readonly string[] Pieces =
    [
        "<script>window.broken=1</script>", "</script><script>window.broken=1</script>", "<img src=x onerror=window.broken=1>",
        "\"><svg/onload=window.broken=1>", "' onmouseover='window.broken=1", "javascript:window.broken=1", "</style>", "</pre>", "<!--", "-->", "]]>",
        "&lt;", "&#x3c;", "\\u003cscript\\u003e", "${window.broken=1}", "{{constructor}}", "`", "\"", "'", "\\", "<", ">", "&",
        "\e[31m", "\e]8;;x\a", "\u009B1m", "\0", "\b", "\u007F", "\u202E", "\u2066", "\u2028", "\u2029", "\uFEFF", "\uFFFF", "\uD83D", "\uDC4B", "👋", "é", "日",
        "\r", "\n", "\t", " ", "/", "..", ":", "%2e", "%", "?", "#", "{file}", "{line}", "id: 1", "data: x", "word",
    ];

    public static string Next(Random random, int pieces)
    {
        var text = new StringBuilder();
        for (var i = random.Next(pieces); i >= 0; i--)
        {
            text.Append(random.Next(4) == 0 ? ((char)random.Next(char.MaxValue + 1)).ToString() : Pieces[random.Next(Pieces.Length)]);
        }

        return text.ToString();
    }

    /// <summary>One that is longer than anything shows.</summary>
    public static string Huge(Random random) => string.Concat(Enumerable.Repeat(Next(random, 40), 2_000));
}
