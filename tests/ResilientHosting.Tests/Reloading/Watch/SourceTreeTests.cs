using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class SourceTreeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Program.cs", true)]
    [InlineData("Index.cshtml", true)]
    [InlineData("App.razor", true)]
    [InlineData(".#Program.cs", false)]
    [InlineData("Program.cs~", false)]
    [InlineData("Program.cs.swp", false)]
    [InlineData("appsettings.json", false)]
    [InlineData("README", false)]
    public void IsSource_ByName_LeavesEditorsFilesOut(string name, bool expected) =>
        Assert.Equal(expected, InputFile.IsSource(_folder.PathOf(name)));

    [Fact]
    public void Enumerate_BeforeMSBuildAnswered_TakesTheDefaults()
    {
        string[] inputs = [_folder.Write("Program.cs", ""), _folder.Write("Orders/Order.cs", ""), _folder.Write("Pages/Index.cshtml", "")];
        _folder.Write("bin/Debug/Copy.cs", "");
        _folder.Write("obj/Debug/Generated.cs", "");
        _folder.Write("node_modules/tool/script.cs", "");
        _folder.Write("wwwroot/sample.cs", "");
        _folder.Write(".git/hook.cs", "");
        _folder.Write("notes.txt", "");

        Assert.Equal(inputs.Order(), new SourceTree(_folder.Path).Enumerate().Order());
    }

    [Fact]
    public void Enumerate_NewFile_IsTakenUnlessTheProjectLeavesItsFolderOut()
    {
        var program = _folder.Write("Program.cs", "");
        _folder.Write("Legacy/Old.cs", "");
        _folder.Write("Legacy/Older.cs", "");
        var tree = new SourceTree(Graph("Program.cs"));

        var added = _folder.Write("Orders/Order.cs", "");
        _folder.Write("Legacy/New.cs", "");
        _folder.Write("generated/Client.cs", "");

        Assert.Equal(new[] { program, added }.Order(), tree.Enumerate().Order());
    }

    [Fact]
    public void Enumerate_FileLeftOutBesideCompiledOnes_StaysOutAndNewOnesComeIn()
    {
        var program = _folder.Write("Program.cs", "");
        _folder.Write("Draft.cs", "");
        var tree = new SourceTree(Graph("Program.cs"));

        var added = _folder.Write("New.cs", "");

        Assert.Equal(new[] { program, added }.Order(), tree.Enumerate().Order());
    }

    [Fact]
    public void Enumerate_LinkedFileAndGeneratedOnes_KeepsTheLinkAndDropsWhatTheBuildWrites()
    {
        using var elsewhere = new TemporaryFolder();
        var linked = elsewhere.Write("Shared.cs", "");
        var program = _folder.Write("Program.cs", "");
        _folder.Write("obj/Debug/App.AssemblyInfo.cs", "");
        var tree = new SourceTree(Graph("Program.cs", "obj/Debug/App.AssemblyInfo.cs", linked));
        var defaults = new SourceTree(_folder.Path);

        Assert.Equal(new[] { program, linked }.Order(), tree.Enumerate().Order());
        Assert.Equal([linked], tree.EnumerateBeyond(defaults));
        Assert.Contains((elsewhere.Path, false), tree.WatchRoots());
    }

    [Fact]
    public void WatchRoots_OfAProject_AreItselfAndTheFoldersThatCanHoldInputs()
    {
        _folder.Write("Orders/Deep/Order.cs", "");
        _folder.Write("bin/x.dll", "");
        _folder.Write("wwwroot/app.css", "");
        _folder.Write(".vs/state", "");

        Assert.Equal([(_folder.Path, false), (_folder.PathOf("Orders"), true)], new SourceTree(_folder.Path).WatchRoots());
    }

    private ProjectGraph Graph(params string[] sources)
    {
        var project = _folder.PathOf("App.csproj");
        var commandLine = new CompilerCommandLine(
            project, sources, _folder.PathOf("roslyn"), _folder.PathOf("obj/Debug/"), ["bin/**", "obj/**", "generated/**"]);
        return new ProjectGraph([new SolutionProject(project, "App", commandLine, [], [])]);
    }
}
