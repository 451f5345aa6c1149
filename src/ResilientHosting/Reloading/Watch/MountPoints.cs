namespace ResilientHosting.Reloading;

/// <summary>Where file systems are mounted.</summary>
internal static class MountPoints
{
    public static string[] All()
    {
        try
        {
            return Environment.GetLogicalDrives();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A sandbox that hides its mounts. Then a folder is what the folder above it is.
            return [];
        }
    }

    /// <summary>The mount points below a folder, named as one gets there from it.</summary>
    public static IEnumerable<string> Below(string folder)
    {
        var real = RealPath(folder);
        return All().Where(point => SourceTree.IsUnder(real, point)).Select(point => Path.Join(folder, point.AsSpan(real.Length)));
    }

    private static string RealPath(string path)
    {
        if (Path.GetDirectoryName(path) is not { } parent)
        {
            return path;
        }

        var here = Path.Join(RealPath(parent), Path.GetFileName(path));
        return LinkedFolder.TargetOf(here) is { } target ? RealPath(target) : here;
    }
}
