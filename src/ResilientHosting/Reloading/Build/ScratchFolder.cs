using System.Diagnostics.CodeAnalysis;

namespace ResilientHosting.Reloading;

/// <summary>
/// Finds a place for files that are not meant to stay. The system names one, but it need not exist, or may be read-only as in many a
/// container.
/// </summary>
internal static class ScratchFolder
{
    /// <summary>Creates a new folder in the first place that allows it.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static DirectoryInfo Create(string projectDirectory) => Create(Places(projectDirectory));

    /// <summary>Names the place to use in the stead of the one that the system names; null if that one will do.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static string? FindReplacement(string projectDirectory)
    {
        if (OperatingSystem.IsWindows() || IsWritable(Path.GetTempPath()))
        {
            return null;
        }

        return Places(projectDirectory).FirstOrDefault(IsWritable) ?? throw NoPlace();
    }

    public static bool IsWritable(string place)
    {
        if (!TryCreate(place, out var folder))
        {
            return false;
        }

        folder.Delete();
        return true;
    }

    internal static DirectoryInfo Create(IEnumerable<string> places)
    {
        foreach (var place in places)
        {
            if (TryCreate(place, out var folder))
            {
                return folder;
            }
        }

        throw NoPlace();
    }

    private static string[] Places(string projectDirectory) => OperatingSystem.IsWindows()
        ? [Path.GetTempPath(), Path.Combine(projectDirectory, "obj")]
        : [Path.GetTempPath(), "/tmp", "/dev/shm", Path.Combine(projectDirectory, "obj")];

    private static bool TryCreate(string place, [NotNullWhen(true)] out DirectoryInfo? folder)
    {
        folder = null;
        if (!Directory.Exists(place))
        {
            return false;
        }

        try
        {
            var path = Path.Combine(place, "dev-reloader-" + Path.GetRandomFileName());
            folder = OperatingSystem.IsWindows()
                ? Directory.CreateDirectory(path)
                : Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static InvalidOperationException NoPlace() =>
        new("there is no folder to write temporary files to; let the environment variable TMPDIR name one");
}
