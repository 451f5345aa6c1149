using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class ShownWarningsTests
{
    private static readonly BuildDiagnostic InA = new("CS0168", IsError: false, "A.cs", 1, 1, "never used");
    private static readonly BuildDiagnostic InB = InA with { Path = "B.cs" };

    [Fact]
    public void Take_UntouchedFile_IsShownOnce()
    {
        var shown = new ShownWarnings();

        Assert.Equal([InA, InB], shown.Take([InA, InB], []));
        Assert.Empty(shown.Take([InA, InB with { Project = "App.csproj" }], []));
    }

    [Fact]
    public void Take_ChangedFile_IsShownAgain()
    {
        var shown = new ShownWarnings();
        shown.Take([InA, InB], []);

        Assert.Equal([InA], shown.Take([InA, InB], ["A.cs"]));
    }

    [Fact]
    public void Take_Errors_AreNotItsBusiness() => Assert.Empty(new ShownWarnings().Take([InA with { IsError = true }], ["A.cs"]));
}
