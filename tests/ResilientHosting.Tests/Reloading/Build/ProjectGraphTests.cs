using System.Text.Json;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class ProjectGraphTests
{
    private static readonly string Folder = Path.Combine(Path.GetTempPath(), "shop");
    private static readonly string App = Path.Combine(Folder, "App", "App.csproj");
    private static readonly string Library = Path.Combine(Folder, "Library", "Library.csproj");

    [Fact]
    public void Parse_AnswerOfMSBuild_ResolvesPathsAgainstTheProject()
    {
        var app = ProjectGraph.Parse(Answer(Describe(App, ["/noconfig", "Program.cs"]))).Application;

        Assert.Equal("App", app.AssemblyName);
        Assert.Equal([Path.Combine(Folder, "App", "obj", "ref", "App.dll"), Path.Combine(Folder, "App", "bin", "App.dll")], app.ReferencedAs);
        var commandLine = Assert.IsType<CompilerCommandLine>(app.CommandLine);
        Assert.Equal(["/noconfig", "Program.cs"], commandLine.Arguments);
        Assert.Equal(Path.Combine(Folder, "App"), commandLine.ProjectDirectory);
        Assert.Equal(Path.Combine("/sdk/Roslyn", "bincore"), commandLine.RoslynDirectory);
        Assert.Equal(Path.Combine(Folder, "App", "obj", "Debug", "net10.0") + Path.DirectorySeparatorChar, commandLine.IntermediateDirectory);
        Assert.Equal(["bin/Debug/**", "obj/**", "**/.*/**"], commandLine.DefaultExcludes);
    }

    [Fact]
    public void Parse_SeveralProjects_KeepsTheirOrderAndEachOnce()
    {
        var graph = ProjectGraph.Parse(Answer(
            Describe(Library, ["Counter.cs"]), Describe(Library, ["Counter.cs"]), Describe(App, ["Program.cs"], references: "../Library/Library.csproj")));

        Assert.Equal([Library, App], graph.Projects.Select(project => project.ProjectPath));
        Assert.Equal([Library], graph.Application.References);
    }

    [Fact]
    public void Parse_LibraryWithoutCompilerArguments_IsLeftToTheBuild()
    {
        var graph = ProjectGraph.Parse(Answer(Describe(Path.ChangeExtension(Library, ".fsproj"), []), Describe(App, ["Program.cs"])));

        Assert.Null(graph.Projects[0].CommandLine);
    }

    [Fact]
    public void Parse_WhatBelongsToAProject_IsResolvedToo()
    {
        var app = ProjectGraph.Parse(Answer(Describe(App, ["Program.cs"]))).Application;

        Assert.Equal([Path.Combine(Folder, "App", "Strings.resx")], app.BuildInputs);
        Assert.Equal([App, Path.Combine(Folder, "Directory.Build.props")], app.BuildFiles);
        Assert.Equal("shop", app.UserSecretsId);
    }

    [Fact]
    public void SourceFiles_OfArguments_AreSourcesAndAdditionalFilesWithFullPaths()
    {
        var commandLine = ProjectGraph.Parse(Answer(Describe(
            App, ["/noconfig", "/reference:/sdk/System.Runtime.dll", "Program.cs", "Orders/Order.cs", "/additionalfile:Pages/Index.cshtml", "/additionalfile:notes.txt"])))
            .Application.CommandLine!;

        var folder = Path.GetDirectoryName(App)!;
        Assert.Equal(
            [Path.Combine(folder, "Program.cs"), Path.Combine(folder, "Orders", "Order.cs"), Path.Combine(folder, "Pages", "Index.cshtml"), Path.Combine(folder, "notes.txt")],
            commandLine.SourceFiles);
    }

    [Fact]
    public void SourceFiles_OutsideTheProject_AreTakenForFilesAndNotForSwitches()
    {
        using var elsewhere = new TemporaryFolder();
        var linked = elsewhere.Write("Shared.cs", "");

        Assert.Equal([linked], ProjectGraph.Parse(Answer(Describe(App, ["/noconfig", linked]))).Application.CommandLine!.SourceFiles);
    }

    private static Dictionary<string, string> Describe(string project, string[] arguments, string references = "") => new()
    {
        ["Identity"] = project,
        ["CompilerAssemblyName"] = Path.GetFileNameWithoutExtension(project),
        ["CompilerArguments"] = string.Join('\n', arguments),
        ["CompilerDirectory"] = "/sdk/Roslyn",
        ["IntermediateFolder"] = "obj/Debug/net10.0/",
        ["ReferencedAs"] = $"obj/ref/{Path.GetFileNameWithoutExtension(project)}.dll\nbin/{Path.GetFileNameWithoutExtension(project)}.dll\n",
        ["ProjectReferences"] = references,
        ["BuildInputs"] = "Strings.resx",
        ["BuildFiles"] = $"{project}\n../Directory.Build.props",
        ["SecretsId"] = "shop",
        ["DefaultExcludes"] = ";bin\\Debug\\/**;obj\\/**;**/.*/**",
    };

    private static string Answer(params Dictionary<string, string>[] projects) => JsonSerializer.Serialize(new
    {
        TargetResults = new { ResilientHostingDescribeProjects = new { Result = "Success", Items = projects } },
    });
}
