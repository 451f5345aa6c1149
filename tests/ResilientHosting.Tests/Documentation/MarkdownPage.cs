using System.Text.RegularExpressions;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Documentation;

/// <summary>A fenced block, with the line of the page that its text begins at.</summary>
internal sealed record MarkdownBlock(MarkdownPage Page, int Line, string Language, string Text);

/// <summary>A row of a table, cell by cell, below the heading it stands under.</summary>
internal sealed record MarkdownRow(int Line, string Section, IReadOnlyList<string> Cells);

internal sealed record MarkdownLink(int Line, string Target);

/// <summary>A page as far as the tests read it: headings, fenced blocks, links and the rows of tables.</summary>
internal sealed partial class MarkdownPage
{
    private static readonly string[] Generated = ["artifacts", "bin", "obj", "TestAssets"];

    private readonly List<string> _anchors = [];
    private readonly List<MarkdownBlock> _blocks = [];
    private readonly List<MarkdownLink> _links = [];
    private readonly List<MarkdownRow> _rows = [];

    public MarkdownPage(string name, string text)
    {
        Name = name;
        Text = text;
        Read(text.ReplaceLineEndings("\n").Split('\n'));
    }

    /// <summary>Gets the path below the root of the repository, with slashes.</summary>
    public string Name { get; }

    public string Text { get; }

    /// <summary>Gets what links can name of the page, in its order.</summary>
    public IReadOnlyList<string> Anchors => _anchors;

    public IReadOnlyList<MarkdownBlock> Blocks => _blocks;

    public IReadOnlyList<MarkdownLink> Links => _links;

    public IReadOnlyList<MarkdownRow> Rows => _rows;

    public static MarkdownPage Load(string name) => new(name, File.ReadAllText(Repository.PathOf(name)));

    /// <summary>Every page of the repository.</summary>
    public static IEnumerable<MarkdownPage> All() => In(new DirectoryInfo(Repository.PathOf()))
        .Select(file => Path.GetRelativePath(Repository.PathOf(), file).Replace('\\', '/'))
        .Order(StringComparer.Ordinal)
        .Select(Load);

    public override string ToString() => Name;

    private static IEnumerable<string> In(DirectoryInfo folder) =>
    [
        .. folder.EnumerateFiles("*.md").Select(file => file.FullName),
        .. folder.EnumerateDirectories().Where(below => below.Name[0] != '.' && !Generated.Contains(below.Name)).SelectMany(In),
    ];

    private void Read(string[] lines)
    {
        var section = "";
        for (var i = 0; i < lines.Length; i++)
        {
            if (Fence().Match(lines[i]) is { Success: true } fence)
            {
                var end = Array.IndexOf(lines, fence.Groups["indent"].Value + "```", i + 1);
                Assert.True(end > i, $"{Name}({i + 1}): this block has no end.");
                _blocks.Add(new MarkdownBlock(this, i + 2, fence.Groups["language"].Value, string.Join('\n', lines[(i + 1)..end]) + "\n"));
                i = end;
            }
            else if (Heading().Match(lines[i]) is { Success: true } heading)
            {
                section = heading.Groups["title"].Value;
                AddAnchor(section);
            }
            else
            {
                ReadText(lines[i], i + 1, section);
            }
        }
    }

    private void ReadText(string line, int number, string section)
    {
        // What stands in code marks is no link.
        _links.AddRange(Link().Matches(Code().Replace(line, "``")).Select(link => new MarkdownLink(number, link.Groups["target"].Value)));
        if (line.StartsWith('|') && !line.StartsWith("|---", StringComparison.Ordinal))
        {
            var cells = CellEnd().Split(line.Trim()[1..^1]).Select(cell => cell.Trim().Replace("\\|", "|", StringComparison.Ordinal));
            _rows.Add(new MarkdownRow(number, section, [.. cells]));
        }
    }

    /// <summary>As GitHub makes them: lower case, without punctuation, hyphens for spaces, numbered if a title comes twice.</summary>
    private void AddAnchor(string title)
    {
        var slug = NotInAnchor().Replace(title.ToLowerInvariant(), "").Replace(' ', '-');
        var anchor = slug;
        for (var copy = 1; _anchors.Contains(anchor); copy++)
        {
            anchor = $"{slug}-{copy}";
        }

        _anchors.Add(anchor);
    }

    [GeneratedRegex("^(?<indent> *)```(?<language>[a-z]*)$")]
    private static partial Regex Fence();

    [GeneratedRegex("^#{1,6} (?<title>.+)$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex Code();

    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex CellEnd();

    [GeneratedRegex(@"[^\p{L}\p{N}\- _]")]
    private static partial Regex NotInAnchor();
}
