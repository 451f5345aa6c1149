namespace ResilientHosting.Reloading;

/// <summary>A folder that is a link to another.</summary>
internal static class LinkedFolder
{
    /// <summary>Where a link leads in the end.</summary>
    /// <returns>Null if the path is no link, or one that leads to itself.</returns>
    public static string? TargetOf(string path)
    {
        try
        {
            return Directory.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether a link leads back to where it is, or to where a link that was followed on the way has led.</summary>
    public static bool IsLoop(string link, string target, IReadOnlyCollection<string> followed) =>
        SourceTree.IsUnder(target, link) || followed.Any(earlier => earlier == target || SourceTree.IsUnder(target, earlier));
}
