namespace ResilientHosting.Tests.Reloading.Build;

/// <summary>What Razor makes of a view: a checksum of the file, and directives that say which of its lines a piece of code stands for.</summary>
public sealed class GeneratedLinesTests(ComparedCompilers compilers) : IClassFixture<ComparedCompilers>
{
    // {0} is the checksum, {1} the text of the view, {2} the line of its code, {3} the line of its members.
    private const string Program = """
        #pragma checksum "/app/Index.cshtml" "{{8829d00f-11b8-4213-878b-770e8597ac16}}" "{0}"
        using System.Runtime.CompilerServices;
        await new View().ExecuteAsync();
        public static class Probe
        {{
            public static string Run()
            {{
                var view = new View();
                view.ExecuteAsync().Wait();
                return view.Text + view.Member() + view.Nothing;
            }}
        }}
        public class View
        {{
            public string Text = "";
            public async Task ExecuteAsync()
            {{
        #nullable restore
        #line ({2},1)-({2},20) "/app/Index.cshtml"
                Text += Line();
        #line default
        #line hidden
        #nullable disable
                Text += "{1}";
                await Task.Yield();
            }}
        #nullable restore
        #line ({3},1)-({3},20) "/app/Index.cshtml"
            public string Member() => "member";
        #line default
        #line hidden
        #nullable disable
            public string Nothing = null;
        #nullable restore
            private static string Line([CallerLineNumber] int line = 0, [CallerFilePath] string file = "") => file + line;
        }}
        """;

    [Theory]
    [InlineData("b9", "new text", 3, 9, true)]
    [InlineData("b9", "text", 4, 9, true)]
    [InlineData("b9", "new text", 4, 10, true)]
    [InlineData("b9", "text", 3, 9, false)]
    [InlineData("b9", "text", 3, 10, false)]
    public void Compile_EditOfAView_IsADeltaIfItsCodeChanges(string checksum, string text, int codeLine, int memberLine, bool expected)
    {
        compilers.Start(View("a1", "text", 3, 9));

        var isDelta = compilers.Edit(View(checksum, text, codeLine, memberLine), $"{checksum}, {text}, {codeLine}, {memberLine}");

        Assert.Equal(expected, isDelta);
    }

    [Theory]
    [InlineData("#nullable disable\n        Text", "Text")]
    [InlineData("#line hidden\n#nullable", "#line 40 \"/app/Other.cshtml\"\n#nullable")]
    [InlineData("Text += \"{1}\";", "#pragma warning disable CS0162\n        Text += \"{1}\";")]
    public void Compile_DirectiveThatReachesBeyondItsBlock_TakesAWholeImage(string old, string replacement)
    {
        Assert.Contains(old, Program, StringComparison.Ordinal);
        compilers.Start(View("a1", "text", 3, 9));

        var isDelta = compilers.Edit(View("b9", "new text", 3, 9, Program.Replace(old, replacement, StringComparison.Ordinal)), replacement);

        Assert.False(isDelta);
    }

    private static string View(string checksum, string text, int codeLine, int memberLine, string program = Program) =>
        string.Format(System.Globalization.CultureInfo.InvariantCulture, program, checksum, text, codeLine, memberLine);
}
