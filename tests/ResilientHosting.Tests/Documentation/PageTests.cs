using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Documentation;

/// <summary>The pages hang together.</summary>
public sealed class PageTests
{
    [Fact]
    public void RelativeLink_OfAnyPage_LeadsToAFileAndAHeading()
    {
        var pages = MarkdownPage.All().ToDictionary(page => page.Name);

        Findings.AssertNone(
            from page in pages.Values
            from link in page.Links
            where !link.Target.Contains("://", StringComparison.Ordinal)
            let problem = WhyBroken(page, link, pages)
            where problem is not null
            select $"{page}({link.Line}): {problem}");
    }

    [Fact]
    public void Page_BelowDocs_IsLinkedFromTheReadme()
    {
        var linked = MarkdownPage.Load("README.md").Links.Select(link => link.Target.Split('#')[0]);
        var below = MarkdownPage.All().Select(page => page.Name).Where(name => name.StartsWith("docs/", StringComparison.Ordinal));

        Findings.AssertNone(below.Except(linked));
    }

    [Theory]
    [InlineData("docs/resources.md")]
    [InlineData("docs/client-aborts.md")]
    [InlineData("docs/dev-reloader.md")]
    public void PageOfAFeature_HasTheUsualHeadings(string page)
    {
        string[] usual = ["about", "usage", "defaults", "telemetry", "diagram", "limits", "anti-patterns"];

        Assert.Equal(usual, MarkdownPage.Load(page).Anchors.Where(usual.Contains));
    }

    [Theory]
    [InlineData("gone.md", "there is no docs/gone.md")]
    [InlineData("page.md#nowhere", "no heading")]
    [InlineData("#nowhere", "no heading")]
    [InlineData("#a-title-with-code", null)]
    [InlineData("page.md#twice-1", null)]
    public void WhyBroken_OfALink_NamesWhatIsMissing(string target, string? problem)
    {
        var page = new MarkdownPage("docs/page.md", "# A title, with `code`\n## Twice\n## Twice\n");

        var found = WhyBroken(page, new MarkdownLink(1, target), new Dictionary<string, MarkdownPage> { [page.Name] = page });

        if (problem is null)
        {
            Assert.Null(found);
        }
        else
        {
            Assert.Contains(problem, found, StringComparison.Ordinal);
        }
    }

    private static string? WhyBroken(MarkdownPage page, MarkdownLink link, Dictionary<string, MarkdownPage> pages)
    {
        var parts = link.Target.Split('#');
        var root = Repository.PathOf();
        var file = parts[0].Length == 0
            ? page.Name
            : Path.GetRelativePath(root, Path.Combine(root, Path.GetDirectoryName(page.Name)!, parts[0])).Replace('\\', '/');
        if (pages.TryGetValue(file, out var target))
        {
            return parts.Length == 1 || target.Anchors.Contains(parts[1]) ? null : $"{file} has no heading #{parts[1]}.";
        }

        return Path.Exists(Path.Combine(root, file)) ? null : $"there is no {file}.";
    }
}
