namespace ResilientHosting.Reloading;

internal enum ChangeKind
{
    Edited,
    Added,
    Deleted,
}

internal readonly record struct SourceChange(string Path, ChangeKind Kind);

/// <summary>What happened to the sources since the generation that serves, or why a reload was asked for without a change.</summary>
internal sealed record ChangeSet(IReadOnlyList<SourceChange> Changes, string? RequestedBecause)
{
    public bool IsEmpty => Changes.Count == 0 && RequestedBecause is null;

    public string Describe(string projectDirectory)
    {
        if (Changes.Count == 0)
        {
            return RequestedBecause ?? "nothing changed";
        }

        var (first, kind) = Changes[0];
        var name = NameOf(first, projectDirectory);
        var what = kind switch
        {
            ChangeKind.Added => " added",
            ChangeKind.Deleted => " deleted",
            _ => "",
        };
        return Changes.Count == 1 ? name + what : $"{name}{what} and {Changes.Count - 1} more";
    }

    /// <summary>A file as a developer would call it: from the project or beside it by a relative path, from afar by its full one.</summary>
    public static string NameOf(string path, string projectDirectory)
    {
        var relative = Path.GetRelativePath(projectDirectory, path).Replace('\\', '/');
        return relative.StartsWith("../../", StringComparison.Ordinal) ? path : relative;
    }
}

/// <summary>One look at the sources, and how it differs from what is being served.</summary>
internal sealed record SourceLook(ChangeSet Changes, SourceSnapshot Files);
