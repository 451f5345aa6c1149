namespace ResilientHosting.Reloading;

/// <summary>Folders of sources that are watched in the same way, as one line for whoever wants to know.</summary>
/// <param name="Path">The folder that they are all in.</param>
/// <param name="Folders">How many there are.</param>
/// <param name="FileSystem">The type of their file system.</param>
/// <param name="WhyPolled">Why they are looked at often; null if events tell of them.</param>
/// <param name="IsForListedFiles">Whether no more of them is watched than files that projects list by name.</param>
internal sealed record WatchedRoot(string Path, int Folders, string FileSystem, string? WhyPolled, bool IsForListedFiles = false)
{
    // A solution of three hundred projects is one line then, and one of five is five.
    private const int MostOfAKind = 6;

    /// <summary>Sums folders up.</summary>
    public static IReadOnlyList<WatchedRoot> Sum(IEnumerable<(SourceFolder Folder, string? WhyPolled)> folders) =>
    [
        .. folders
            .GroupBy(
                watched => (watched.Folder.FileSystem, watched.WhyPolled, IsForListedFiles: watched.Folder.Extent == FolderExtent.ListedFiles),
                watched => watched.Folder.Path)
            .SelectMany(kind => Outermost(kind).Select(root =>
                new WatchedRoot(root.Path, root.Count, kind.Key.FileSystem, kind.Key.WhyPolled, kind.Key.IsForListedFiles)))
            .OrderBy(root => root.Path, StringComparer.Ordinal),
    ];

    private static List<(string Path, int Count)> Outermost(IEnumerable<string> paths)
    {
        var roots = new List<(string Path, int Count)>();

        // With the separator at its end a folder comes before all that is in it, and nothing else comes in between.
        foreach (var path in paths.OrderBy(path => path + System.IO.Path.DirectorySeparatorChar, StringComparer.Ordinal))
        {
            if (roots is [.., var (root, count)] && SourceTree.IsUnder(root, path))
            {
                roots[^1] = (root, count + 1);
            }
            else
            {
                roots.Add((path, 1));
            }
        }

        return roots.Count <= MostOfAKind ? roots : [(CommonFolder(roots[0].Path, roots[^1].Path), roots.Sum(root => root.Count))];
    }

    /// <summary>The folder that two are in. What is sorted between them is in it as well.</summary>
    private static string CommonFolder(string first, string last)
    {
        var folder = first;
        while (!SourceTree.IsUnder(folder, last) && System.IO.Path.GetDirectoryName(folder) is { } above)
        {
            folder = above;
        }

        return folder;
    }
}
