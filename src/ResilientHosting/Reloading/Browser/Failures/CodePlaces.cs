namespace ResilientHosting.Reloading;

/// <summary>A place in a source file.</summary>
/// <param name="File">The full path.</param>
/// <param name="Name">The path as people read it: relative to the application's project.</param>
/// <param name="Line">The line, counted from 1; 0 if only the file is known.</param>
/// <param name="Column">The column, counted from 1; 0 if it is not known.</param>
/// <param name="EditorLink">What opens it in the developer's editor; null if it can't be opened.</param>
/// <param name="Code">The code around it; null if it can't be read.</param>
internal sealed record CodePlace(string File, string Name, int Line, int Column, string? EditorLink, CodeFrame? Code)
{
    public override string ToString() => (Line, Column) switch
    {
        (0, _) => Name,
        (_, 0) => FormattableString.Invariant($"{Name}:{Line}"),
        _ => FormattableString.Invariant($"{Name}:{Line}:{Column}"),
    };
}

/// <summary>Finds the places that one failure is about. Each file is read once, as it is now.</summary>
/// <param name="sources">The files of the solution. Of no other file is anything shown.</param>
/// <param name="editor">The name or pattern of the developer's editor, if there is one.</param>
internal sealed class CodePlaces(SourceTree sources, string? editor)
{
    private const int LongestPath = 500;
    private const long LargestFile = 2 * 1024 * 1024;

    // What the compiler counts as the end of a line.
    private static readonly string[] LineEnds = ["\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"];

    private readonly Dictionary<string, string[]?> _files = [];

    public CodePlace Find(string path, int line, int column)
    {
        if (Resolve(path) is not { } file)
        {
            return new CodePlace(PlainText.Of(path, LongestPath), PlainText.Of(path, LongestPath), line, column, null, null);
        }

        if (!_files.TryGetValue(file, out var lines))
        {
            _files.Add(file, lines = Read(file));
        }

        return new CodePlace(
            PlainText.Of(file, LongestPath),
            PlainText.Of(Path.GetRelativePath(sources.ProjectDirectory, file), LongestPath),
            line,
            column,
            editor is null ? null : EditorLinks.Create(editor, file, line, column),
            lines is null ? null : CodeFrame.Take(lines, line, column));
    }

    /// <summary>Whether the path is that of a source of the solution, rather than of a package or of nothing on this machine.</summary>
    public bool IsOwn(string path) => Resolve(path) is not null;

    private string? Resolve(string path)
    {
        // Paths come from debug symbols and #line directives; they may be anything.
        if (!File.Exists(path) || !Path.IsPathFullyQualified(path))
        {
            return null;
        }

        var file = Path.GetFullPath(path);
        return sources.Holds(file) ? file : null;
    }

    private static string[]? Read(string file)
    {
        try
        {
            return new FileInfo(file).Length > LargestFile ? null : File.ReadAllText(file).Split(LineEnds, StringSplitOptions.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Deleted or replaced this moment: the failure is shown without its code.
            return null;
        }
    }
}
