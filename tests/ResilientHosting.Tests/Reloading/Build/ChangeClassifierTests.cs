using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class ChangeClassifierTests
{
    private static readonly string Folder = Path.Combine(Path.GetTempPath(), "classified");
    private static readonly SolutionProject App = Project("App/App.csproj", ["Program.cs", "/additionalfile:Pages/Index.cshtml"]) with
    {
        BuildInputs = [At("App/data/prices.csv")],
    };

    private static readonly SolutionProject Generator = Project("Generator/Generator.csproj", ["Generator.cs"]);

    [Theory]
    [InlineData("App/Program.cs", nameof(ChangeClass.Compile))]
    [InlineData("App/New.cs", nameof(ChangeClass.Compile))]
    [InlineData("App/Pages/Index.cshtml", nameof(ChangeClass.Compile))]
    [InlineData("App/App.csproj", nameof(ChangeClass.Build))]
    [InlineData("App/App.csproj.user", nameof(ChangeClass.Build))]
    [InlineData("Directory.Build.props", nameof(ChangeClass.Build))]
    [InlineData("Directory.Build.targets", nameof(ChangeClass.Build))]
    [InlineData("Directory.Packages.props", nameof(ChangeClass.Build))]
    [InlineData("global.json", nameof(ChangeClass.Build))]
    [InlineData("nuget.config", nameof(ChangeClass.Build))]
    [InlineData("NuGet.Config", nameof(ChangeClass.Build))]
    [InlineData("App/packages.lock.json", nameof(ChangeClass.Build))]
    [InlineData("App/Strings.resx", nameof(ChangeClass.Build))]
    [InlineData("App/greet.proto", nameof(ChangeClass.Build))]
    [InlineData("App/Pages/Index.razor.css", nameof(ChangeClass.Build))]
    [InlineData("App/data/prices.csv", nameof(ChangeClass.Build))]
    [InlineData("Shapes/Circle.fs", nameof(ChangeClass.Build))]
    [InlineData("Generator/Generator.cs", nameof(ChangeClass.Build))]
    [InlineData(".editorconfig", nameof(ChangeClass.Reconfigure))]
    [InlineData("App/strict.globalconfig", nameof(ChangeClass.Reconfigure))]
    [InlineData("App/appsettings.json", nameof(ChangeClass.Nothing))]
    [InlineData("App/appsettings.Development.json", nameof(ChangeClass.Restart))]
    [InlineData("App/Properties/launchSettings.json", nameof(ChangeClass.Nothing))]
    public void Classify_EachRow_AsksForItsReaction(string path, string expected) =>
        Assert.Equal(expected, Classifier().Classify(At(path)).ToString());

    [Fact]
    public void Classify_SeveralChanges_TheStrongestDecidesAndEachIsExplained()
    {
        var reaction = Classify(null, "App/Program.cs", "App/Strings.resx", "App/appsettings.json", "App/Properties/launchSettings.json");

        Assert.Equal(ChangeClass.Build, reaction.Class);
        Assert.False(reaction.NeedsRestore);
        Assert.Equal(
            [
                "Strings.resx: needs a real build, generation 3 serves meanwhile",
                "appsettings.json reloads itself, nothing to do",
                "Properties/launchSettings.json is read by dotnet run alone; restart it to apply the change",
            ],
            reaction.Remarks);
    }

    [Fact]
    public void Classify_ProjectFile_NeedsPackagesRestored() => Assert.True(Classify(null, "App/App.csproj").NeedsRestore);

    [Fact]
    public void Classify_RequestWithoutAChange_StartsAgain()
    {
        var reaction = Classify("asked for");

        Assert.Equal(ChangeClass.Restart, reaction.Class);
        Assert.Empty(reaction.Remarks);
    }

    [Fact]
    public void Classify_RequestWithConfigurationThatReloadsItself_StartsAgain() =>
        Assert.Equal(ChangeClass.Restart, Classify("asked for", "App/appsettings.json").Class);

    private static Reaction Classify(string? request, params string[] paths) => Classifier().Classify(
        new ChangeSet([.. paths.Select(path => new SourceChange(At(path), ChangeKind.Edited))], request), At("App"), "generation 3");

    private static ChangeClassifier Classifier() => new(
        new ProjectGraph([Generator, App]), [new ProjectSources(App)], readsAgain: path => Path.GetFileName(path) == "appsettings.json");

    private static SolutionProject Project(string path, string[] arguments) => new(
        At(path), Path.GetFileNameWithoutExtension(path), new CompilerCommandLine(At(path), arguments, "/sdk", At("obj/"), []), [], []);

    private static string At(string path) => Path.Combine(Folder, path);
}
