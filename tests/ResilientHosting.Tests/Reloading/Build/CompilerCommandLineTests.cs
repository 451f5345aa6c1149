using System.Text.Json;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class CompilerCommandLineTests
{
    private static readonly string Project = Path.Combine(Path.GetTempPath(), "shop", "Shop.csproj");
    private static readonly string Folder = Path.GetDirectoryName(Project)!;

    [Fact]
    public void Parse_AnswerOfMSBuild_ResolvesFoldersAgainstTheProject()
    {
        var parsed = CompilerCommandLine.Parse(Project, Answer(["/noconfig", "Program.cs"]));

        Assert.Equal(["/noconfig", "Program.cs"], parsed.Arguments);
        Assert.Equal(Folder, parsed.ProjectDirectory);
        Assert.Equal(Path.Combine("/sdk/Roslyn", "bincore"), parsed.RoslynDirectory);
        Assert.Equal(Path.Combine(Folder, "obj", "Debug", "net10.0") + Path.DirectorySeparatorChar, parsed.IntermediateDirectory);
        Assert.Equal(["bin/Debug/**", "obj/**", "**/.*/**"], parsed.DefaultExcludes);
    }

    [Fact]
    public void SourceFiles_OfArguments_AreSourcesAndAdditionalFilesWithFullPaths()
    {
        var parsed = CompilerCommandLine.Parse(Project, Answer(
            ["/noconfig", "/reference:/sdk/System.Runtime.dll", "Program.cs", "Orders/Order.cs", "/additionalfile:Pages/Index.cshtml", "/additionalfile:notes.txt"]));

        Assert.Equal(
            [Path.Combine(Folder, "Program.cs"), Path.Combine(Folder, "Orders", "Order.cs"), Path.Combine(Folder, "Pages", "Index.cshtml")],
            parsed.SourceFiles);
    }

    [Fact]
    public void SourceFiles_OutsideTheProject_AreTakenForFilesAndNotForSwitches()
    {
        using var elsewhere = new TemporaryFolder();
        var linked = elsewhere.Write("Shared.cs", "");

        Assert.Equal([linked], CompilerCommandLine.Parse(Project, Answer(["/noconfig", linked])).SourceFiles);
    }

    [Fact]
    public void Parse_WithoutArguments_SaysThatOnlyCSharpCanBeReloaded()
    {
        var failure = Assert.Throws<InvalidOperationException>(() => CompilerCommandLine.Parse(Project, Answer([])));

        Assert.Contains(Project, failure.Message, StringComparison.Ordinal);
        Assert.Contains("only C# projects", failure.Message, StringComparison.Ordinal);
    }

    private static string Answer(string[] arguments) => JsonSerializer.Serialize(new
    {
        Properties = new
        {
            RoslynTargetsPath = "/sdk/Roslyn",
            IntermediateOutputPath = "obj/Debug/net10.0/",
            DefaultItemExcludes = ";bin\\Debug\\/**;obj\\/**",
            DefaultExcludesInProjectFolder = "**/.*/**",
        },
        Items = new { CscCommandLineArgs = arguments.Select(argument => new { Identity = argument }) },
    });
}
