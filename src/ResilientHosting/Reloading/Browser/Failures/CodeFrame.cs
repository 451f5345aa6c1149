namespace ResilientHosting.Reloading;

/// <summary>The lines around a place in the code, tabs and all.</summary>
/// <param name="FirstLine">The number of the first of them, counted from 1.</param>
/// <param name="Lines">The lines, each cut where it gets too long.</param>
/// <param name="MarkedLine">Which of the lines it is about, counted from 0.</param>
/// <param name="MarkStart">Where in that line it begins, counted from 0.</param>
/// <param name="MarkLength">How long it is; 0 if it is the whole line.</param>
internal sealed record CodeFrame(int FirstLine, IReadOnlyList<string> Lines, int MarkedLine, int MarkStart, int MarkLength)
{
    private const int Around = 3;
    private const int LongestLine = 160;
    private const int BeforeMark = 60;

    /// <summary>Takes them from a file.</summary>
    /// <param name="source">The lines of the file.</param>
    /// <param name="line">The line, counted from 1.</param>
    /// <param name="column">The column, counted from 1; 0 if it is not known.</param>
    /// <returns>Null if the file has no such line.</returns>
    public static CodeFrame? Take(IReadOnlyList<string> source, int line, int column)
    {
        if (line < 1 || line > source.Count)
        {
            return null;
        }

        var first = Math.Max(1, line - Around);
        var lines = source.Skip(first - 1).Take(Math.Min(source.Count, line + Around) - first + 1).Select(text => Cut(text, 0)).ToArray();
        var marked = source[line - 1];
        if (column < 1 || column > marked.Length + 1)
        {
            return new CodeFrame(first, lines, line - first, 0, 0);
        }

        // Far to the right there is a window onto the line, and its first character stands for what is left out.
        var start = column - 1;
        var from = start < LongestLine ? 0 : start - BeforeMark;
        lines[line - first] = Cut(marked, from);
        return new CodeFrame(first, lines, line - first, from == 0 ? start : start - from + 1, Math.Min(LengthOfWord(marked, start), LongestLine - (start - from)));
    }

    /// <summary>The marked line in three: what is before the mark, the mark itself, which is empty at the end of the line, and what is behind it.</summary>
    public (string Before, string Marked, string After) Split()
    {
        var line = Lines[MarkedLine];
        var (start, end) = (Math.Min(MarkStart, line.Length), Math.Min(MarkStart + MarkLength, line.Length));
        return (line[..start], line[start..end], line[end..]);
    }

    private static string Cut(string line, int from)
    {
        var text = line.AsSpan(from);
        return PlainText.Mend($"{(from == 0 ? "" : "…")}{text[..Math.Min(text.Length, LongestLine)]}{(text.Length > LongestLine ? "…" : "")}");
    }

    /// <summary>The compiler names only the beginning of what it means; as a rule that is a word.</summary>
    private static int LengthOfWord(string line, int start)
    {
        var end = start;
        while (end < line.Length && (char.IsLetterOrDigit(line[end]) || line[end] == '_'))
        {
            end++;
        }

        var isPair = start + 1 < line.Length && char.IsSurrogatePair(line[start], line[start + 1]);
        return Math.Max(end - start, isPair ? 2 : 1);
    }
}
