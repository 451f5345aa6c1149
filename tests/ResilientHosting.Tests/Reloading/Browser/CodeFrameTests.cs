using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class CodeFrameTests
{
    private static readonly string[] Ten = [.. Enumerable.Range(1, 10).Select(number => $"line {number}")];

    [Theory]
    [InlineData(1, 1, 4, 0)]
    [InlineData(5, 2, 7, 3)]
    [InlineData(10, 7, 4, 3)]
    public void Take_ALine_HasThreeAroundIt(int line, int first, int count, int marked)
    {
        var frame = CodeFrame.Take(Ten, line, 1)!;

        Assert.Equal((first, count, marked), (frame.FirstLine, frame.Lines.Count, frame.MarkedLine));
        Assert.Equal($"line {line}", frame.Lines[frame.MarkedLine]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(11)]
    [InlineData(int.MaxValue)]
    public void Take_ALineThatIsNotThere_IsNothing(int line) => Assert.Null(CodeFrame.Take(Ten, line, 1));

    [Theory]
    [InlineData("\tvar order = Find(identifier);", 19, "\tvar order = Find(", "identifier", ");")]
    [InlineData("a + b", 3, "a ", "+", " b")]
    [InlineData("end", 4, "end", "", "")]
    [InlineData("", 1, "", "", "")]
    [InlineData("x 👋 y", 3, "x ", "👋", " y")]
    [InlineData("größe_1=2", 1, "", "größe_1", "=2")]
    public void Take_AColumn_MarksTheWordThere(string line, int column, string before, string marked, string after) =>
        Assert.Equal((before, marked, after), CodeFrame.Take([line], 1, column)!.Split());

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    [InlineData(99)]
    public void Take_NoSuchColumn_MarksTheLine(int column) => Assert.Equal(0, CodeFrame.Take(["short"], 1, column)!.MarkLength);

    [Theory]
    [InlineData(1)]
    [InlineData(160)]
    [InlineData(161)]
    [InlineData(5_000)]
    [InlineData(9_999)]
    public void Take_AColumnOfAVeryLongLine_ShowsThatPartOfIt(int column)
    {
        var line = new string('.', column - 1) + "Here" + new string('.', 10_000 - column);

        var frame = CodeFrame.Take([new string('x', 10_000), line], 2, column)!;

        Assert.Equal("Here"[..Math.Min(4, frame.MarkLength)], frame.Split().Marked);
        Assert.All(frame.Lines, shown => Assert.InRange(shown.Length, 1, 162));
    }

    [Fact]
    public void Take_AnyLineAndColumn_NeitherFailsNorMarksBeyondTheLine()
    {
        const int Seed = 20_261_122;
        var random = new Random(Seed);
        for (var i = 0; i < 2_000; i++)
        {
            string[] source = [HostileText.Next(random, 300), "", HostileText.Next(random, 10)];
            var frame = CodeFrame.Take(source, random.Next(-1, 5), random.Next(-1, 2_000));
            if (frame is not null)
            {
                var (before, marked, after) = frame.Split();
                Assert.True(before + marked + after == frame.Lines[frame.MarkedLine], $"Seed {Seed}, frame {i}");
                Assert.True(frame.MarkStart + frame.MarkLength <= frame.Lines[frame.MarkedLine].Length + 1, $"Seed {Seed}, frame {i}");
            }
        }
    }
}
