using System.Globalization;

namespace ResilientHosting.Reloading;

/// <summary>Links that open a place in the developer's editor, by the URI scheme which that editor has registered.</summary>
internal static class EditorLinks
{
    private const string File = "{file}";
    private const string Line = "{line}";
    private const string Column = "{column}";

    private static readonly Dictionary<string, string> Patterns = new(StringComparer.OrdinalIgnoreCase)
    {
        ["vscode"] = "vscode://file/{file}:{line}:{column}",
        ["vscode-insiders"] = "vscode-insiders://file/{file}:{line}:{column}",
        ["vscodium"] = "vscodium://file/{file}:{line}:{column}",
        ["cursor"] = "cursor://file/{file}:{line}:{column}",
        ["windsurf"] = "windsurf://file/{file}:{line}:{column}",
        ["zed"] = "zed://file/{file}:{line}:{column}",
        ["rider"] = "rider://open?file={file}&line={line}&column={column}",
    };

    // A browser runs these instead of handing them to a program.
    private static readonly string[] Forbidden = ["javascript", "data", "vbscript", "blob", "about"];

    /// <summary>Gets the editor in whose terminal this process was started, or else the commonest.</summary>
    public static string OfThisTerminal =>
        Environment.GetEnvironmentVariable("TERMINAL_EMULATOR") == "JetBrains-JediTerm" ? "rider"
        : Environment.GetEnvironmentVariable("TERM_PROGRAM") == "zed" ? "zed"
        : Environment.GetEnvironmentVariable("CURSOR_TRACE_ID") is not null ? "cursor"
        : "vscode";

    /// <returns>Null if the editor's name is known, or its pattern is sound; otherwise what is wrong.</returns>
    public static string? WhyInvalid(string editor)
    {
        // No regular expression: options are checked where the reloader is off, too, and it must cost nothing there.
        var scheme = editor.Split(':')[0];
        var isSound = Patterns.ContainsKey(editor)
            || (scheme.Length < editor.Length
                && Uri.CheckSchemeName(scheme)
                && !Forbidden.Contains(scheme, StringComparer.OrdinalIgnoreCase)
                && editor.Contains(File, StringComparison.Ordinal)
                && Uri.TryCreate(Create(editor, "/folder/file", 1, 1), UriKind.Absolute, out _));
        return isSound
            ? null
            : $"must be {string.Join(", ", Patterns.Keys)} or a URI with {File}, and perhaps {Line} and {Column}, that no browser runs as a script, but is \"{editor}\".";
    }

    /// <param name="editor">A name or a pattern.</param>
    /// <param name="file">The full path of the file.</param>
    /// <param name="line">The line, or 0 for the beginning.</param>
    /// <param name="column">The column, or 0 for the beginning.</param>
    public static string Create(string editor, string file, int line, int column)
    {
        var pattern = Patterns.GetValueOrDefault(editor, editor);
        var path = string.Join('/', file.Replace('\\', '/').Split('/').Select(Escape));
        return pattern
            .Replace("/" + File, "/" + path.TrimStart('/'), StringComparison.Ordinal)
            .Replace(File, path, StringComparison.Ordinal)
            .Replace(Line, Number(line), StringComparison.Ordinal)
            .Replace(Column, Number(column), StringComparison.Ordinal);
    }

    // The colon of a Windows drive is no part of a name.
    private static string Escape(string name) => name is [_, ':'] ? name : Uri.EscapeDataString(PlainText.Mend(name));

    private static string Number(int number) => Math.Max(1, number).ToString(CultureInfo.InvariantCulture);
}
