using System.Text;

namespace ResilientHosting.Reloading;

/// <summary>
/// Finds where a script fits into HTML that comes in pieces: in the head, before anything else. That is behind the tags that open document
/// and head, or before whatever comes instead of them. It is decided early, so that a page which never ends has its script too, and nearly
/// nothing is held back. Looks at ASCII alone, so every character encoding that contains ASCII will do.
/// </summary>
internal sealed class ScriptPlace
{
    private Part _part = Part.Start;
    private byte _quote;
    private int _dashes;

    private enum Part
    {
        Start,

        /// <summary>Between the tags, comments and declarations that may come before the place.</summary>
        Between,
        Declaration,
        Comment,
        DocumentTag,
        HeadTag,
    }

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    public bool IsFound { get; private set; }

    /// <returns>
    /// How many of the bytes come before the place. While it is not found, what is left over is half a word: it is to be read again with
    /// more behind it.
    /// </returns>
    public int Read(ReadOnlySpan<byte> html)
    {
        var length = 0;
        while (!IsFound && length < html.Length && ReadPart(html[length..]) is > 0 and var read)
        {
            length += read;
        }

        return length;
    }

    private int ReadPart(ReadOnlySpan<byte> html) => _part switch
    {
        Part.Start => ReadStart(html),
        Part.Between => ReadBetween(html),
        Part.Comment => ReadComment(html),
        Part.Declaration => ReadDeclaration(html),
        _ => ReadTag(html),
    };

    private int ReadStart(ReadOnlySpan<byte> html)
    {
        if (html.Length < ByteOrderMark.Length && ByteOrderMark.StartsWith(html))
        {
            return 0;
        }

        _part = Part.Between;
        return html.StartsWith(ByteOrderMark) ? ByteOrderMark.Length : ReadBetween(html);
    }

    private int ReadBetween(ReadOnlySpan<byte> html)
    {
        var space = html.IndexOfAnyExcept(" \t\r\n\f"u8);
        if (space != 0)
        {
            return space < 0 ? html.Length : space;
        }

        if (IsTag(html, "<html"u8))
        {
            return Begin(Part.DocumentTag, "<html".Length);
        }

        if (IsTag(html, "<head"u8))
        {
            return Begin(Part.HeadTag, "<head".Length);
        }

        if (html.StartsWith("<!--"u8))
        {
            // These two may be the closing ones as well.
            _dashes = 2;
            return Begin(Part.Comment, "<!--".Length);
        }

        if (BeginsLike(html, "<!--"u8) || BeginsLike(html, "<html "u8) || BeginsLike(html, "<head "u8))
        {
            return 0;
        }

        if (html.StartsWith("<!"u8) || html.StartsWith("<?"u8))
        {
            return Begin(Part.Declaration, "<!".Length);
        }

        IsFound = true;
        return 0;
    }

    private int ReadComment(ReadOnlySpan<byte> html)
    {
        for (var i = 0; i < html.Length; i++)
        {
            if (html[i] == '>' && _dashes >= 2)
            {
                return Begin(Part.Between, i + 1);
            }

            _dashes = html[i] == '-' ? _dashes + 1 : 0;
        }

        return html.Length;
    }

    private int ReadDeclaration(ReadOnlySpan<byte> html)
    {
        var end = html.IndexOf((byte)'>');
        return end < 0 ? html.Length : Begin(Part.Between, end + 1);
    }

    private int ReadTag(ReadOnlySpan<byte> html)
    {
        for (var i = 0; i < html.Length; i++)
        {
            if (_quote != 0)
            {
                _quote = html[i] == _quote ? (byte)0 : _quote;
            }
            else if (html[i] is (byte)'"' or (byte)'\'')
            {
                _quote = html[i];
            }
            else if (html[i] == '>')
            {
                IsFound = _part == Part.HeadTag;
                return Begin(Part.Between, i + 1);
            }
        }

        return html.Length;
    }

    private int Begin(Part part, int read)
    {
        _part = part;
        return read;
    }

    private static bool IsTag(ReadOnlySpan<byte> html, ReadOnlySpan<byte> name) =>
        html.Length > name.Length
        && Ascii.EqualsIgnoreCase(html[..name.Length], name)
        && " \t\r\n\f/>"u8.Contains(html[name.Length]);

    private static bool BeginsLike(ReadOnlySpan<byte> html, ReadOnlySpan<byte> text) =>
        html.Length < text.Length && Ascii.EqualsIgnoreCase(html, text[..html.Length]);
}
