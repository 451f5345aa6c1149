namespace ResilientHosting.Tests.Documentation;

/// <summary>What tells true examples from false ones has to be able to.</summary>
public sealed class ExampleCompilerTests
{
    [Fact]
    public void Check_MemberThatDoesNotExist_IsAnErrorWithItsLineInThePage()
    {
        var page = new MarkdownPage(
            "docs/page.md",
            """
            # Title

            text

            ```csharp
            app.MapGet("/", () => "hello")
                .CompleteOnClientLeave();
            ```
            """);

        var error = Assert.Single(ExampleCompiler.Check(page.Blocks[0]));

        Assert.StartsWith("docs/page.md(7,6): CS1061: ", error, StringComparison.Ordinal);
        Assert.Contains("CompleteOnClientLeave", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("app.UseClientAbortTolerance();")]
    [InlineData("var builder = WebApplication.CreateSlimBuilder(args);\nvar app = builder.Build();\napp.Run();")]
    [InlineData("using System.Text;\nnamespace Shop;\ninternal sealed class Receipt { public StringBuilder Text { get; } = new(); }")]
    [InlineData("await app.Services.RunInResourceScopeAsync(\"x\", (scope, token) => Task.CompletedTask, stopping);")]
    public void Check_FragmentProgramOrTypes_Compiles(string code) => Assert.Empty(ExampleCompiler.Check(Block(code)));

    [Theory]
    [InlineData("app.UseClientAbortTolerance()", "CS1002")]
    [InlineData("Task.Run(() => Task.CompletedTask);", "CS4014")]
    [InlineData("string text = null;", "CS8600")]
    [InlineData("int unused;", "CS0168")]
    public void Check_WhatWouldBeReportedInAReadersProject_IsReported(string code, string id)
    {
        var text = id == "CS4014" ? $"async Task RunAsync() {{ await Task.Yield(); {code} }}\nawait RunAsync();" : code;

        Assert.Contains(ExampleCompiler.Check(Block(text)), error => error.Contains(id, StringComparison.Ordinal));
    }

    private static MarkdownBlock Block(string code) => new(new MarkdownPage("page.md", ""), 1, "csharp", code);
}
