namespace ResilientHosting.Reloading;

/// <summary>
/// Where real builds of this process put what they make: a new folder for each, so that none ever writes over a file that is in use.
/// All of them are gone when the process is.
/// </summary>
internal sealed class BuildFolders(string projectDirectory)
{
    private readonly Lazy<DirectoryInfo> _root = new(() =>
    {
        var root = ScratchFolder.Create(projectDirectory);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Delete(root.FullName);
        return root;
    });

    private int _last;

    /// <summary>Names the folder of the next build, with the separator at its end that MSBuild wants.</summary>
    public string CreateNext() =>
        _root.Value.CreateSubdirectory($"{++_last}").FullName + Path.DirectorySeparatorChar;

    /// <summary>Deletes all folders but one.</summary>
    public void KeepOnly(string? folder)
    {
        if (_root.IsValueCreated)
        {
            foreach (var other in _root.Value.EnumerateDirectories().Where(other => other.FullName != Path.TrimEndingDirectorySeparator(folder ?? "")))
            {
                Delete(other.FullName);
            }
        }
    }

    public static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A native library that is still loaded can't be deleted on Windows. The next call tries again.
        }
    }
}
