using System.Text;

namespace ResilientHosting.Reloading;

/// <summary>
/// The page for people. Its own script and style are named by their hash, so nothing that it shows can run, whatever a file or an
/// exception is called.
/// </summary>
internal sealed class DevPage
{
    private const string ScriptTag = """<script type="module" src="page.js"></script>""";

    private static readonly Lazy<DevPage> Built = new(static () => new DevPage(Read("/page.html"), Read("/page.js")));

    private DevPage(string page, string script)
    {
        // In the page itself, because the page doesn't know by which path it was asked for: /_dev, /_dev/, and behind a proxy any other.
        Content = Encoding.UTF8.GetBytes(page.Replace(ScriptTag, $"""<script type="module">{script}</script>""", StringComparison.Ordinal));
        Policy = "default-src 'none'; connect-src 'self'; img-src data:; "
            + $"script-src {HashOf(script)}; style-src {HashOf(Between(page, "<style>", "</style>"))}; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
    }

    public static DevPage Instance => Built.Value;

    public byte[] Content { get; }

    /// <summary>Gets the content security policy to send with it.</summary>
    public string Policy { get; }

    private static string Read(string asset) => Encoding.UTF8.GetString(DevAssets.Find(asset)!.Content);

    private static string HashOf(string text) => DevAsset.PolicySource(Encoding.UTF8.GetBytes(text));

    private static string Between(string text, string begin, string end)
    {
        var start = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        return text[start..text.IndexOf(end, start, StringComparison.Ordinal)];
    }
}
