using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class ChangeSetTests
{
    private static readonly string Project = Path.Combine(Path.GetTempPath(), "shop");

    [Theory]
    [InlineData("Edited", "Orders/Order.cs")]
    [InlineData("Added", "Orders/Order.cs added")]
    [InlineData("Deleted", "Orders/Order.cs deleted")]
    public void Describe_OneChange_NamesFileAndKind(string kind, string expected)
    {
        var change = new SourceChange(Path.Combine(Project, "Orders", "Order.cs"), Enum.Parse<ChangeKind>(kind));

        Assert.Equal(expected, new ChangeSet([change], null).Describe(Project));
    }

    [Fact]
    public void Describe_SeveralChanges_NamesTheFirstAndCountsTheRest()
    {
        SourceChange[] changes = [Edited("A.cs"), Edited("B.cs"), Edited("C.cs")];

        Assert.Equal("A.cs and 2 more", new ChangeSet(changes, "asked for").Describe(Project));

        static SourceChange Edited(string file) => new(Path.Combine(Project, file), ChangeKind.Edited);
    }

    [Fact]
    public void Describe_OnlyRequested_GivesTheReason()
    {
        var requested = new ChangeSet([], "asked for");

        Assert.False(requested.IsEmpty);
        Assert.Equal("asked for", requested.Describe(Project));
        Assert.True(new ChangeSet([], null).IsEmpty);
    }
}
