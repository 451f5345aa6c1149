using System.Collections;

namespace ResilientHosting.Tests.Documentation;

/// <summary>The tables of options: complete, and true in every default and every range.</summary>
public sealed class OptionTests
{
    // A default that is found at run time, or said in words.
    private static readonly string[] NotAValue =
        ["ClientKey", "ProjectPath", "PollingInterval", "Editor"];

    public static TheoryData<string> Rows => [.. DocumentedOption.All.Select(option => option.FullName)];

    [Fact]
    public void Tables_OfAllPages_NameEveryOptionOnce()
    {
        var documented = DocumentedOption.All.Select(option => (option.Type.Name, option.Path));
        var existing =
            from table in DocumentedOption.Tables
            from path in DocumentedOption.PathsOf(table.Type)
            select (table.Type.Name, path);

        Assert.Equal(existing.Order(), documented.Order());
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Default_OfTheTable_IsTheRealOne(string row)
    {
        var option = Find(row);
        if (NotAValue.Contains(option.Path))
        {
            Assert.NotEmpty(option.Default);
            return;
        }

        if (option.RealDefault is IList list)
        {
            Assert.Equal("none", option.Default);
            Assert.Empty(list);
            return;
        }

        Assert.Equal(OptionValue.Parse(option.Default, option.ValueType), option.RealDefault);
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Range_OfTheTable_IsWhatTheValidatorAllows(string row)
    {
        var option = Find(row);
        var type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
        if (type != typeof(TimeSpan) && type != typeof(int) && type != typeof(long) && type != typeof(double))
        {
            return;
        }

        var range = OptionRange.Parse(option);

        // At an end of its range an option may be at odds with another one, which has its default.
        Assert.All(range.Inside, value => Assert.DoesNotContain(
            option.Validate(value), failure => failure.StartsWith($"Property {option.FullName}:", StringComparison.Ordinal)));
        Assert.All(range.Outside, value => Assert.NotEmpty(option.Validate(value)));
        if (option.Range.EndsWith("or infinite", StringComparison.Ordinal))
        {
            Assert.Empty(option.Validate(Timeout.InfiniteTimeSpan));
        }
    }

    [Fact]
    public void Option_OfTheReadme_HasTheDefaultAndRangeOfItsPage()
    {
        var rows = MarkdownPage.Load("README.md").Rows.Where(row => row.Section == "Options" && row.Cells[0].StartsWith('`')).ToList();

        Assert.NotEmpty(rows);
        Assert.All(rows, row =>
        {
            var option = Find(row.Cells[0].Trim('`').Replace("<T>", "", StringComparison.Ordinal));
            Assert.Equal((option.Default, option.Range), (row.Cells[1], row.Cells[2]));
        });
    }

    private static DocumentedOption Find(string row) => DocumentedOption.All.Single(option => option.FullName == row);
}
