using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class SdkBuildTests
{
    [Theory]
    [InlineData("/shop/App/Program.cs(12,5): error CS1002: ; expected [/shop/App/App.csproj]")]
    [InlineData("/shop/App/Program.cs(12,5): warning CS0168: The variable 'x' is declared but never used [/shop/App/App.csproj]")]
    [InlineData("/shop/App/App.csproj(9,5): error MSB4025: The project file could not be loaded. The 'Item' start tag does not match.")]
    [InlineData("/shop/App/App.csproj: error NU1101: Unable to find package Missing. No packages exist with this id [x]")]
    public void Parse_LineOfDotnetBuild_PrintsAsItWas(string line)
    {
        var diagnostic = Assert.Single(SdkBuild.Parse($"  Determining projects to restore...\n{line}\n{line}\n\n"));

        // The project that a restore or MSBuild itself complains about may stand in front alone.
        Assert.Equal(line, diagnostic.ToString());
    }

    [Fact]
    public void Parse_LineOfDotnetBuild_TellsItsParts()
    {
        var diagnostic = Assert.Single(SdkBuild.Parse("/shop/Shapes/Circle.fs(3,28): error FS0039: The value 'radius' is not defined. [/shop/Shapes/Shapes.fsproj]"));

        Assert.Equal(
            new BuildDiagnostic("FS0039", IsError: true, "/shop/Shapes/Circle.fs", 3, 28, "The value 'radius' is not defined.") { Project = "/shop/Shapes/Shapes.fsproj" },
            diagnostic);
    }

    [Fact]
    public void Parse_OutputWithoutDiagnostics_FindsNone() =>
        Assert.Empty(SdkBuild.Parse("Build succeeded.\n    0 Warning(s)\n    0 Error(s)\n"));
}
