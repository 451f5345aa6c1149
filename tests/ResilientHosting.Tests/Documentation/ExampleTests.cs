using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Documentation;

/// <summary>Readers copy the examples: each has to compile as it stands.</summary>
public sealed partial class ExampleTests
{
    // Text has no language: diagrams, and what a console shows.
    private static readonly string[] Languages = ["", "csharp", "json", "sh", "nginx", "ini", "yaml", "xml", "promql"];

    public static TheoryData<string> PagesWithCode => [.. MarkdownPage.All()
        .Where(page => page.Blocks.Any(block => block.Language == "csharp"))
        .Select(page => page.Name)];

    [Theory]
    [MemberData(nameof(PagesWithCode))]
    public void CodeOfPage_IsCompiled_WithoutErrorsAndWarnings(string page) =>
        Findings.AssertNone(MarkdownPage.Load(page).Blocks.Where(block => block.Language == "csharp").SelectMany(ExampleCompiler.Check));

    [Fact]
    public async Task QuickStart_OfTheReadme_Answers()
    {
        var quickStart = MarkdownPage.Load("README.md").Blocks.First(block => block.Language == "csharp");
        await using var program = await RunningExample.StartAsync(quickStart);
        using var client = new HttpClient { BaseAddress = program.Address };

        // The version of SQLite.
        Assert.Matches(@"^3\.\d+\.\d+$", await client.GetStringAsync("/version", TestContext.Current.CancellationToken));
    }

    [Fact]
    public void CodeOfPublicDocumentation_IsCompiled_WithoutErrorsAndWarnings()
    {
        var library = typeof(ClientAbortOptions).Assembly;
        var examples = XDocument.Load(Path.ChangeExtension(library.Location, ".xml")).Descendants("member")
            .SelectMany(member => member.Descendants("code").Select(code => (Member: member.Attribute("name")!.Value, Code: code.Value)))
            .Where(example => library.GetType(TypeOfMember().Match(example.Member).Groups["type"].Value) is { IsPublic: true })
            .Select(example => new MarkdownBlock(new MarkdownPage(example.Member, ""), 1, "csharp", example.Code));

        Assert.NotEmpty(examples);
        Findings.AssertNone(examples.SelectMany(ExampleCompiler.Check));
    }

    [Fact]
    public void Block_OfAnyPage_HasAKnownLanguage() => Findings.AssertNone(
        from block in Blocks()
        where !Languages.Contains(block.Language)
        select $"{block.Page}({block.Line}): \"{block.Language}\" is not checked by any test.");

    [Fact]
    public void Json_OfAnyPage_CanBeParsed() =>
        Assert.All(Blocks().Where(block => block.Language == "json"), block => JsonDocument.Parse(block.Text).Dispose());

    [Fact]
    public void Xml_OfAnyPage_CanBeParsed() =>
        Assert.All(Blocks().Where(block => block.Language == "xml"), block => XDocument.Parse($"<xml>{block.Text}</xml>"));

    [Fact]
    public void PathInTheRepository_NamedByAnyPage_Exists()
    {
        var inBlocks = Blocks()
            .Where(block => block.Language == "sh")
            .SelectMany(block => Paths(block.Text).Select(path => (block.Page, Path: path)));
        var inText = MarkdownPage.All().SelectMany(page =>
            CodeMark().Matches(page.Text).SelectMany(code => Paths(code.Value)).Select(path => (Page: page, Path: path)));

        Findings.AssertNone(
            from named in inBlocks.Concat(inText)
            where !Exists(named.Path)
            select $"{named.Page}: there is no {named.Path}.");
    }

    private static IEnumerable<MarkdownBlock> Blocks() => MarkdownPage.All().SelectMany(page => page.Blocks);

    private static IEnumerable<string> Paths(string text) => RepositoryPath().Matches(text).Select(path => path.Value.TrimEnd('.', '/'));

    private static bool Exists(string path) => Path.Exists(Repository.PathOf(path));

    [GeneratedRegex(@"^(T:(?<type>.+)|[^T]:(?<type>[^(]+)\.[^.(]+(\(.*)?)$")]
    private static partial Regex TypeOfMember();

    [GeneratedRegex("`[^`\n]+`")]
    private static partial Regex CodeMark();

    [GeneratedRegex(@"(?<![\w/.:~-])(?:src|tests|samples|benchmarks|docs|eng)/[\w./-]+")]
    private static partial Regex RepositoryPath();
}
