namespace ResilientHosting.Benchmarks.DevServers;

/// <summary>A built application to edit while it runs.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="ProjectDirectory">The folder of the web project.</param>
/// <param name="Path">What to ask for: its answer contains the mark of the latest edit.</param>
/// <param name="Edits">The edits to measure.</param>
internal sealed record Solution(string Name, string ProjectDirectory, string Path, IReadOnlyList<Edit> Edits)
{
    public Solution WithEdits(params IEnumerable<string> names) =>
        this with { Edits = [.. Edits.Where(edit => names.Contains(edit.Name))] };
}

/// <summary>A kind of edit: what the file holds after the n-th one. The text contains the mark, so that the answer can show it.</summary>
internal sealed record Edit(string Name, string File, Func<string, int, string> Content)
{
    public static string Mark(int number) => $"mark-{number}-";

    public void Save(int number) => System.IO.File.WriteAllText(File, Content(Mark(number), number));

    /// <summary>Replaces one text of a file that is otherwise left as it is.</summary>
    public static Edit Replacing(string name, string file, string text)
    {
        var original = System.IO.File.ReadAllText(file);
        return original.Contains(text, StringComparison.Ordinal)
            ? new Edit(name, file, (mark, _) => original.Replace(text, mark, StringComparison.Ordinal))
            : throw new InvalidOperationException($"{file} doesn't contain \"{text}\" (any more); name another text to edit.");
    }
}
