using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>What is no edit of C# code: every kind of it, against a real process and real builds.</summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class ChangeClassTests(ChangeableSolution solution) : IClassFixture<ChangeableSolution>
{
    private ReloadableApp App => solution.App;

    [Fact]
    public async Task PackageAdded_WithItsUse_IsLoadedIntoTheNextGenerationOfTheSameProcess()
    {
        await App.ReloadAsync(() =>
        {
            solution.Replace("App/App.csproj", "<Watch ", "<PackageReference Include=\"Dapper\" Version=\"2.1.86\" /><Watch ");
            solution.Replace("App/Program.cs", "app.Run();", "app.MapGet(\"/package\", () => typeof(Dapper.SqlMapper).Assembly.GetName().Name);\napp.Run();");
        });

        Assert.Equal("Dapper", await App.GetAsync("/package"));

        // The compiler in this process knows the package from now on, and generations keep bringing it along.
        await App.ReloadAsync(() => solution.Replace("App/Program.cs", ".GetName().Name)", ".GetName().Name + \"!\")"));
        Assert.Equal("Dapper!", await App.GetAsync("/package"));
    }

    [Fact]
    public async Task ProjectReferenceAddedAndRemoved_Saved_IsBuiltAndThenWatched()
    {
        await App.ReloadAsync(() =>
        {
            solution.Replace("App/App.csproj", "<ProjectReference Include=\"../Library", "<ProjectReference Include=\"../Extra/Extra.csproj\" /><ProjectReference Include=\"../Library");
            solution.Replace("App/Program.cs", "() => \"nothing\"", "() => Extra.More.Text");
        });
        Assert.Equal("more", await App.GetAsync("/added"));

        await App.ReloadAsync(() => solution.Replace("Extra/More.cs", "\"more\"", "\"even more\""));
        Assert.Equal("even more", await App.GetAsync("/added"));

        await App.ReloadAsync(() =>
        {
            solution.Replace("App/Program.cs", "() => Extra.More.Text", "() => \"nothing\"");
            solution.Replace("App/App.csproj", "<ProjectReference Include=\"../Extra/Extra.csproj\" />", "");
        });
        Assert.Equal("nothing", await App.GetAsync("/added"));
    }

    [Fact]
    public async Task ResourceEdited_Saved_IsBuilt()
    {
        Assert.Equal("hello", await App.GetAsync("/text"));
        var mark = App.Console.Count;

        await App.ReloadAsync(() => solution.Replace("App/Strings.resx", ">hello<", ">goodbye<"));

        await App.Console.WaitForAsync("dev reloader: Strings.resx: needs a real build, generation ", mark);
        Assert.Equal("goodbye", await App.GetAsync("/text"));

        // The resource stays in what the compiler in this process makes afterwards.
        await App.ReloadAsync(() => solution.Replace("Library/Words.cs", "\"words\"", "\"other words\""));
        Assert.Equal("other words", await App.GetAsync("/library"));
        Assert.Equal("goodbye", await App.GetAsync("/text"));
    }

    [Fact]
    public async Task LibraryInFSharpEdited_Saved_IsBuilt()
    {
        await App.ReloadAsync(() => solution.Replace("Shapes/Circle.fs", "3.0 *", "3.5 *"));

        Assert.Equal("14", await App.GetAsync("/area"));
    }

    [Fact]
    public async Task GeneratorOfTheSolutionEdited_Saved_GeneratesAnew()
    {
        await App.ReloadAsync(() => solution.Replace("Generator/AnswerGenerator.cs", "\\\"generated\\\"", "\\\"generated anew\\\""));
        Assert.Equal("generated anew", await App.GetAsync("/generated"));

        // The compiler in this process runs the new generator, not the one it had loaded first.
        await App.ReloadAsync(() => solution.Replace("App/Program.cs", "Generated.Answer.Text)", "Generated.Answer.Text + \"!\")"));
        Assert.Equal("generated anew!", await App.GetAsync("/generated"));

        var good = solution.Read("Generator/AnswerGenerator.cs");
        var mark = App.Console.Count;
        await App.ExpectAsync("keeps serving", () => solution.Replace(
            "Generator/AnswerGenerator.cs", "        context.Register", "        throw new NotSupportedException(\"not today\");\n\n    private static void Register(IncrementalGeneratorInitializationContext context) =>\n        context.Register"));
        Assert.Contains(App.Console.Since(mark), line => line.Contains("CS8784", StringComparison.Ordinal) && line.Contains("not today", StringComparison.Ordinal));
        Assert.Equal("generated anew!", await App.GetAsync("/generated"));

        await App.ReloadAsync(() => solution.Write("Generator/AnswerGenerator.cs", good));
    }

    [Fact]
    public async Task ProjectFileBroken_Saved_KeepsServingUntilItIsCorrected()
    {
        var good = await App.GetGenerationAsync();
        var project = solution.Read("App/App.csproj");
        var mark = App.Console.Count;

        await App.ExpectAsync("keeps serving", () => solution.Write("App/App.csproj", project.Replace("</ItemGroup>", "</Item>", StringComparison.Ordinal)));

        Assert.Contains(App.Console.Since(mark), line => line.Contains("App.csproj(", StringComparison.Ordinal) && line.Contains("error MSB4025", StringComparison.Ordinal));
        Assert.Equal(good, await App.GetGenerationAsync());

        Assert.Equal(good + 1, await App.ReloadAsync(() => solution.Write("App/App.csproj", project + "\n")));
        Assert.Equal(good + 1, await App.GetGenerationAsync());
    }

    [Fact]
    public async Task EditorConfigSeverity_Edited_IsHonouredAsByTheBuild()
    {
        var mark = App.Console.Count;
        await App.ReloadAsync(() => solution.Write(
            "Library/Unused.cs", "namespace Library;\n\ninternal static class Unused\n{\n    public static void M()\n    {\n        int never;\n    }\n}\n"));
        Assert.Single(App.Console.Since(mark), line => line.Contains("warning CS0168", StringComparison.Ordinal));

        await App.ExpectAsync("keeps serving", () => solution.Write(".editorconfig", "root = true\n[*.cs]\ndotnet_diagnostic.CS0168.severity = error\n"));
        var expected = $"{solution.PathOf("Library/Unused.cs")}(7,13): error CS0168: The variable 'never' is declared but never used [{solution.PathOf("Library/Library.csproj")}]";
        Assert.Contains(expected, App.Console.Since(mark));

        await App.ReloadAsync(() => solution.Write(".editorconfig", "root = true\n[*.cs]\ndotnet_diagnostic.CS0168.severity = none\n"));
    }

    [Fact]
    public async Task ConfigurationThatReloadsItself_Edited_IsLeftAlone()
    {
        var before = await App.GetGenerationAsync();

        await App.ExpectAsync(
            "dev reloader: appsettings.json reloads itself, nothing to do",
            () => solution.Replace("App/appsettings.json", "{\n  \"Logging\"", "{\n  \"Unused\": 1,\n  \"Logging\""));

        Assert.Equal(before, await App.GetGenerationAsync());
    }

    [Fact]
    public async Task ConfigurationReadAtTheStart_Edited_StartsAgain()
    {
        await App.ReloadAsync(() => solution.Replace("App/appsettings.Start.json", "first", "second"));

        Assert.Equal("second", await App.GetAsync("/setting"));
    }

    [Fact]
    public async Task UserSecrets_Edited_AreLeftAlone()
    {
        // A file that appears is the same to the configuration as one that is edited.
        var line = await App.ExpectAsync("secrets.json", () => File.WriteAllText(solution.SecretsPath, "{ \"Secret\": \"told\" }"));

        Assert.EndsWith("reloads itself, nothing to do", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LaunchSettings_Edited_AreAdvisedAbout()
    {
        await App.ExpectAsync(
            "dev reloader: Properties/launchSettings.json is read by dotnet run alone; restart it to apply the change",
            () => solution.Write("App/Properties/launchSettings.json", "{ \"profiles\": { \"App\": { \"commandName\": \"Project\" } } }"));
    }

    [Fact]
    public async Task CommentEdited_Saved_ChangesNothing()
    {
        // What the SDK has built is not what the compiler here would compare with.
        var before = await App.ReloadAsync(() => solution.Replace("App/Program.cs", "app.Run();", "app.Lifetime.ToString();\napp.Run();"));

        await App.ExpectAsync(
            "dev reloader: Program.cs: comments and white space only, nothing to do",
            () => solution.Replace("App/Program.cs", "app.Run();", "\n// The end.\napp.Run();"));

        Assert.Equal(before, await App.GetGenerationAsync());
    }
}
