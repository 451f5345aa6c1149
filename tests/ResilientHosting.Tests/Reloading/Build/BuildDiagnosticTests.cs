using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class BuildDiagnosticTests
{
    [Fact]
    public void ToString_WithPosition_IsWhatTerminalsMakeALink() =>
        Assert.Equal(
            "/app/Program.cs(12,5): error CS1002: ; expected",
            new BuildDiagnostic("CS1002", IsError: true, "/app/Program.cs", 12, 5, "; expected").ToString());

    [Fact]
    public void ToString_WithoutPosition_NamesTheFileAlone() =>
        Assert.Equal(
            "/app/Logo.cs: error CS2015: The file is binary, not text",
            new BuildDiagnostic("CS2015", IsError: true, "/app/Logo.cs", 0, 0, "The file is binary, not text").ToString());

    [Fact]
    public void ToString_WithoutFile_IsTheMessageAlone() =>
        Assert.Equal(
            "warning CS8021: no value for RuntimeMetadataVersion",
            new BuildDiagnostic("CS8021", IsError: false, "", 0, 0, "no value for RuntimeMetadataVersion").ToString());

    [Fact]
    public void Errors_OfAResult_LeaveWarningsOut()
    {
        var warning = new BuildDiagnostic("CS0168", IsError: false, "A.cs", 1, 1, "never used");
        var error = new BuildDiagnostic("CS0246", IsError: true, "A.cs", 2, 1, "not found");

        Assert.Equal([error], new BuildResult(null, [warning, error]).Errors);
    }
}
