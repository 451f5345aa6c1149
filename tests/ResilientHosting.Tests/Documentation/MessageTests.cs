using System.Text.RegularExpressions;

namespace ResilientHosting.Tests.Documentation;

/// <summary>
/// docs/errors.md has every message a user can meet, word for word. A new or changed message in the sources fails here until the page
/// has it; one that is gone fails until the page has lost it.
/// </summary>
public sealed partial class MessageTests
{
    private const string ErrorsPage = "docs/errors.md";

    // Below it is the table of contents.
    private const string Title = "Errors and messages";

    // Texts that are no message: where they stand, and what they are.
    private static readonly (string Where, string What)[] NoMessages =
    [
        ("ClientAbortMetrics.cs", "descriptions of instruments, see docs/telemetry.md"),
        ("ResendMetrics.cs", "descriptions of instruments, see docs/telemetry.md"),
        ("ResourceMetrics.cs", "descriptions of instruments, see docs/telemetry.md"),
        ("PoolInstruments.cs", "descriptions of instruments, see docs/telemetry.md"),
        ("DevAssets.cs", "a file type that the library itself forgot to name"),
        ("EventStream.cs", "lines of an event stream"),
        ("ErrorPage.cs", "markup around a failure"),
        ("DevPage.cs", "markup"),
        ("CodeNames.cs", "names of methods"),
        ("ReleaseResourcesAfterHandlerMetadata.cs", "what a debugger shows of metadata"),
        ("default-src 'none'; frame-ancestors 'none'", "a content security policy"),
        ("<script async src=\"{}/client.js?generation={}\"{}></script>", "markup"),
        ("ResilientHosting generators of the solution", "the name of a load context"),
        ("rider://open?file={}&line={}&column={}", "the address of an editor"),
        ("dev reloader (console)", "the name of a thread"),
        ("dev reloader (holds the process open)", "the name of a thread"),
        ("dev reloader (looks for leaks)", "the name of a thread"),
    ];

    [Fact]
    public void MessageOfTheSources_IsOnThePage()
    {
        var documented = Code(MarkdownPage.Load(ErrorsPage).Text).ToHashSet(StringComparer.Ordinal);

        Findings.AssertNone(Messages().ExceptBy(documented, message => message.Text));
    }

    [Fact]
    public void MessageOfThePage_IsInTheSources()
    {
        var inSources = SourceMessage.All().Select(message => message.Text).ToHashSet(StringComparer.Ordinal);

        Findings.AssertNone(
            from row in MarkdownPage.Load(ErrorsPage).Rows
            from text in Code(row.Cells[0])
            where !inSources.Contains(text)
            select $"{ErrorsPage}({row.Line}): no source says {text}");
    }

    [Fact]
    public void Row_OfThePage_SaysCauseAndCure() => Findings.AssertNone(
        from row in MarkdownPage.Load(ErrorsPage).Rows
        where row.Section != Title && (row.Cells.Count != 3 || row.Cells.Any(cell => cell.Length == 0))
        select $"{ErrorsPage}({row.Line}): a row is message, cause, cure.");

    [Fact]
    public void Exception_FromTheList_StillExists()
    {
        var all = SourceMessage.All().Where(message => message.IsProse).ToList();

        Findings.AssertNone(
            from except in NoMessages
            where !all.Exists(message => IsExcepted(message, except.Where))
            select except.Where);
    }

    [Theory]
    [InlineData("throw new Exception(\"It has no name.\");", "It has no name.")]
    [InlineData("Say($\"waits {time:c} for \" + nameof(Pool.Size) + \" of them\");", "waits{}for Size of them")]
    [InlineData("var text = flag ? \"not long enough\" : null;", "not long enough")]
    [InlineData("Log(\"{What} has lost its {Part}.\");", "{}has lost its{}.")]
    public void Find_TextForUsers_HasGapsInPlaceOfValues(string statement, string expected)
    {
        var message = Assert.Single(SourceMessage.Find("Some.cs", $"class C {{ void M() {{ {statement} }} }}"));

        Assert.Equal(expected, message.Text);
    }

    [Theory]
    [InlineData("[LoggerMessage(1, LogLevel.Debug, \"Nobody has to know.\")] void Log();")]
    [InlineData("[Obsolete(\"Nobody calls this any more.\")] void Old();")]
    public void Find_TextForNobody_IsLeftOut(string member) => Assert.Empty(SourceMessage.Find("Some.cs", $"class C {{ {member} }}"));

    [Theory]
    [InlineData("no answer yet", true)]
    [InlineData("{} was {} with {}", false)]
    [InlineData("default-src 'none'", false)]
    public void IsProse_OfAText_CountsItsWords(string text, bool expected) =>
        Assert.Equal(expected, new SourceMessage("Some.cs", 1, text).IsProse);

    private static IEnumerable<SourceMessage> Messages() =>
        SourceMessage.All().Where(message => message.IsProse && !Array.Exists(NoMessages, except => IsExcepted(message, except.Where)));

    private static bool IsExcepted(SourceMessage message, string where) =>
        Path.GetFileName(message.File) == where || message.Text == SourceMessage.Normalize(where);

    private static IEnumerable<string> Code(string markdown) =>
        CodeMark().Matches(markdown.Replace("\\|", "|", StringComparison.Ordinal))
            .Select(code => SourceMessage.Normalize(code.Groups["text"].Value));

    [GeneratedRegex("`(?<text>[^`\n]+)`")]
    private static partial Regex CodeMark();
}
