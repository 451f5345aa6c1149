namespace ResilientHosting.Reloading;

/// <summary>Tells a file that can't be seen at the moment from one that is gone.</summary>
/// <param name="Path">The folder.</param>
/// <param name="Reason">What the operating system says about it.</param>
internal sealed record UnreadableFolder(string Path, string Reason)
{
    /// <summary>Finds the uppermost folder that hides a file.</summary>
    /// <returns>Null if the file is gone.</returns>
    public static UnreadableFolder? Above(string file)
    {
        UnreadableFolder? found = null;
        var missing = file;
        for (var folder = System.IO.Path.GetDirectoryName(file); folder is not null; folder = System.IO.Path.GetDirectoryName(folder))
        {
            try
            {
                // A name that is listed, of a file that can't be asked for its time stamp: the folder may be read but not entered.
                var isListed = Directory.EnumerateFileSystemEntries(folder).Contains(missing);
                return found ?? (isListed ? new UnreadableFolder(folder, "access to what is in it is denied") : null);
            }
            catch (IOException e) when (e is DirectoryNotFoundException || File.Exists(folder))
            {
                // Gone as well, unless it is the folder above that hides it.
                missing = folder;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                found = new UnreadableFolder(folder, e.Message.TrimEnd('.'));
            }
        }

        return found;
    }
}
