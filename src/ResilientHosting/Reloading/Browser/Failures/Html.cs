using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;

namespace ResilientHosting.Reloading;

/// <summary>Markup in the making: what is written out is markup, and what is filled in is text, so that nothing can be left unencoded.</summary>
internal sealed class Html
{
    private readonly StringBuilder _markup = new();

    public Html Append([InterpolatedStringHandlerArgument("")] Part part)
    {
        _ = part;
        return this;
    }

    public override string ToString() => _markup.ToString();

    /// <summary>A piece, which is appended while it is put together.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct Part
    {
        private readonly StringBuilder _markup;

        public Part(int literalLength, int formattedCount, Html html)
        {
            _ = formattedCount;
            _markup = html._markup;
            _markup.EnsureCapacity(_markup.Length + literalLength);
        }

        public void AppendLiteral(string markup) => _markup.Append(markup);

        public void AppendFormatted(string? text) => _markup.Append(HtmlEncoder.Default.Encode(text ?? ""));

        public void AppendFormatted(int number) => _markup.Append(CultureInfo.InvariantCulture, $"{number}");

        public void AppendFormatted(Html html) => _markup.Append(html._markup);

        public void AppendFormatted(DevAsset style) => _markup.Append(Encoding.UTF8.GetString(style.Content));
    }
}
