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

        Assert.Equal(new[] { program, linked }.Order(), tree.Enumerate().Order());
        Assert.Equal([linked], tree.Enumerate().Except(new SourceTree(_folder.Path).Enumerate()));
        Assert.Contains((elsewhere.Path, FolderExtent.ListedFiles), Folders(tree));
    }

    [Fact]
    public void Folders_OfAProject_AreItselfAndTheTreesThatCanHoldInputs()
    {
        _folder.Write("Orders/Deep/Order.cs", "");
        _folder.Write("bin/x.dll", "");
        _folder.Write("wwwroot/app.css", "");
        _folder.Write(".vs/state", "");

        Assert.Equal([(_folder.Path, FolderExtent.Files), (_folder.PathOf("Orders"), FolderExtent.Tree)], Folders(new SourceTree(_folder.Path)));
    }

    [Fact]
    public void Folders_WithPackagesDeepBelow_LeaveThemAloneAndStayFew()
    {
        _folder.Write("bin/x.dll", "");
        _folder.Write("Client/Admin/node_modules/tool/lib/index.js", "");
        _folder.Write("Client/Admin/Pages/Deep/Page.cs", "");
        _folder.Write("Client/Shop/Deep/Page.cs", "");

        Assert.Equal(
            [
                (_folder.Path, FolderExtent.Files),
                (_folder.PathOf("Client"), FolderExtent.Files),
                (_folder.PathOf("Client/Admin"), FolderExtent.Files),
                (_folder.PathOf("Client/Admin/Pages"), FolderExtent.Tree),
                (_folder.PathOf("Client/Shop"), FolderExtent.Tree),
            ],
            Folders(new SourceTree(_folder.Path)).Order());
    }

    [Fact]
    public void Folders_OfAProjectInsideAnother_AreNotWatchedTwice()
    {
        _folder.Write("bin/x.dll", "");
        _folder.Write("Library/Library.csproj", "");
        _folder.Write("Library/Words.cs", "");
        var graph = Graph("Program.cs");
        var library = _folder.PathOf("Library/Library.csproj");

        Assert.Equal(
            [(_folder.Path, FolderExtent.Files), (_folder.PathOf("Library"), FolderExtent.Tree)],
            Folders(new SourceTree(new ProjectGraph([new SolutionProject(library, "Library", null, [], []), .. graph.Projects]))));
    }

    [Fact]
    public void Enumerate_LinkedFolder_IsFollowedAsTheBuildDoes()
    {
        using var elsewhere = new TemporaryFolder();
        elsewhere.Write("Deep/Shared.cs", "");
        _folder.Write("Program.cs", "");
        Directory.CreateSymbolicLink(_folder.PathOf("Linked"), elsewhere.Path);

        var tree = new SourceTree(_folder.Path);

        Assert.Equal(new[] { _folder.PathOf("Linked/Deep/Shared.cs"), _folder.PathOf("Program.cs") }, tree.Enumerate().Order());
        Assert.Contains((_folder.PathOf("Linked"), FolderExtent.Tree), Folders(tree));
    }

    [Fact]
    public void Enumerate_LinksThatLeadInCircles_Ends()
    {
        using var elsewhere = new TemporaryFolder();
        elsewhere.Write("Shared.cs", "");
        _folder.Write("Deep/Program.cs", "");
        Directory.CreateSymbolicLink(_folder.PathOf("Deep/Up"), _folder.Path);
        Directory.CreateSymbolicLink(_folder.PathOf("Deep/Itself"), "Itself");
        Directory.CreateSymbolicLink(_folder.PathOf("There"), elsewhere.Path);
        Directory.CreateSymbolicLink(elsewhere.PathOf("Here"), elsewhere.Path);

        Assert.Equal(
            new[] { _folder.PathOf("Deep/Program.cs"), _folder.PathOf("There/Shared.cs") },
            new SourceTree(_folder.Path).Enumerate().Order());
    }

    private static IEnumerable<(string Path, FolderExtent Extent)> Folders(SourceTree tree) =>
        tree.Folders().All.Select(folder => (folder.Path, folder.Extent));

    private ProjectGraph Graph(params string[] sources)
    {
        var project = _folder.PathOf("App.csproj");
        var commandLine = new CompilerCommandLine(
            project, sources, _folder.PathOf("roslyn"), _folder.PathOf("obj/Debug/"), ["bin/**", "obj/**", "generated/**"]);
        return new ProjectGraph([new SolutionProject(project, "App", commandLine, [], [])]);
    }
}
