using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class EditorLinksTests
{
    [Theory]
    [InlineData("vscode", "/home/me/My Shop/Program.cs", "vscode://file/home/me/My%20Shop/Program.cs:12:5")]
    [InlineData("vscode", @"C:\Shop\Program.cs", "vscode://file/C:/Shop/Program.cs:12:5")]
    [InlineData("Cursor", "/shop/Program.cs", "cursor://file/shop/Program.cs:12:5")]
    [InlineData("rider", "/shop/a&b#c?d.cs", "rider://open?file=/shop/a%26b%23c%3Fd.cs&line=12&column=5")]
    [InlineData("rider", @"C:\Shop\Program.cs", "rider://open?file=C:/Shop/Program.cs&line=12&column=5")]
    [InlineData("vscode://vscode-remote/ssh-remote+box{file}:{line}", "/shop/Program.cs", "vscode://vscode-remote/ssh-remote+box/shop/Program.cs:12")]
    [InlineData("vscode", "/shop/{line}/\"'<>\e.cs", "vscode://file/shop/%7Bline%7D/%22%27%3C%3E%E2%90%9B.cs:12:5")]
    public void Create_OfAnyPath_IsAUri(string editor, string file, string link)
    {
        Assert.Equal(link, EditorLinks.Create(editor, file, 12, 5));
        Assert.True(Uri.TryCreate(link, UriKind.Absolute, out _));
    }

    [Fact]
    public void Create_OfHalfALetter_IsAUriAllTheSame() =>
        Assert.Equal("vscode://file/shop/%EF%BF%BD.cs:12:5", EditorLinks.Create("vscode", "/shop/\uD83D.cs", 12, 5));

    [Fact]
    public void Create_WithoutAPosition_OpensTheBeginning() => Assert.Equal("vscode://file/a:1:1", EditorLinks.Create("vscode", "/a", 0, 0));

    [Theory]
    [InlineData("vscode")]
    [InlineData("Rider")]
    [InlineData("zed")]
    [InlineData("emacs://open?url=file://{file}&line={line}")]
    [InlineData("http://localhost:63342/api/file{file}:{line}")]
    public void WhyInvalid_OfAnEditor_IsNull(string editor) => Assert.Null(EditorLinks.WhyInvalid(editor));

    [Theory]
    [InlineData("")]
    [InlineData("vi")]
    [InlineData("vscode://file")]
    [InlineData("{file}")]
    [InlineData("{file}:{line}")]
    [InlineData("javascript:alert('{file}')")]
    [InlineData("JavaScript:{file}")]
    [InlineData(" javascript:{file}")]
    [InlineData("java\tscript:{file}")]
    [InlineData("data:text/html,{file}")]
    [InlineData("vbscript:{file}")]
    [InlineData("//attacker.example/{file}")]
    public void WhyInvalid_OfAnythingElse_NamesWhatIsKnown(string editor)
    {
        var reason = EditorLinks.WhyInvalid(editor);

        Assert.Contains("vscode, ", reason, StringComparison.Ordinal);
        Assert.Contains($"\"{editor}\"", reason, StringComparison.Ordinal);
    }
}
