namespace ResilientHosting.Tests.Reloading.Build;

/// <summary>An edit that only moves code makes no new image; what stack traces say about lines has to follow all the same.</summary>
public sealed class MovedLinesTests(ComparedCompilers compilers) : IClassFixture<ComparedCompilers>
{
    // {top} and {middle} are where lines are added; Probe.Run tells the lines of a method, an iterator, lambdas, initializers and accessors.
    private const string Program = """
        using System.Diagnostics;
        {top}
        Console.WriteLine(Probe.Run());
        public static class Probe
        {
            public static string Run() => Plain() + " " + Lambda(1) + " " + new Fields().All;
            private static string Plain()
            {
                return Where();
            }
            {middle}
            private static string Lambda(int n)
            {
                if (n > 0)
                {
                    return string.Join(';', Sequence().Select(line =>
                        line + "," + Where()));
                }

                return "";
            }

            private static IEnumerable<string> Sequence()
            {
                yield return Where();
            }

            internal static string Where() => new StackTrace(1, true).GetFrame(0)!.GetFileLineNumber().ToString();
        }

        public sealed class Fields
        {
            private readonly string _first =
                Probe.Where();
            {middle}
            private readonly string _second = Probe.Where();
            {middle}
            public Fields() => All = _first + "/" + _second + "/" + Probe.Where();

            public string All { get; }
        }
        """;

    [Theory]
    [InlineData("// one line", "")]
    [InlineData("", "// a line\n// and another")]
    [InlineData("/* a\nb\nc */", "//")]
    [InlineData(300, "// far down, where line numbers take another byte")]
    public void Compile_CodeThatOnlyMoves_StackTracesFollow(object top, string middle)
    {
        compilers.Start(Fill("", ""));

        var isDelta = compilers.Edit(Fill(top as string ?? new string('\n', (int)top), middle), $"{top}, {middle}");

        Assert.False(isDelta);
    }

    [Fact]
    public void Compile_CodeThatMovesBack_StackTracesFollow()
    {
        compilers.Start(Fill("//\n//\n//", "//\n"));

        compilers.Edit(Fill("", "//\n//\n//"), "moved down");
        compilers.Edit(Fill("", ""), "moved up");
    }

    private static string Fill(string top, string middle) =>
        Program.Replace("{top}", top, StringComparison.Ordinal).Replace("{middle}", middle, StringComparison.Ordinal);
}
