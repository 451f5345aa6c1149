using System.IO.Enumeration;

namespace ResilientHosting.Reloading;

/// <summary>What a directory tells about a file. A file that was replaced has another time of creation.</summary>
internal readonly record struct FileStat(DateTime Modified, DateTime Created, long Length, bool IsLink)
{
    public static FileStat? Of(string path)
    {
        var info = new FileInfo(path);
        return info.Exists
            ? new FileStat(info.LastWriteTimeUtc, info.CreationTimeUtc, info.Length, info.Attributes.HasFlag(FileAttributes.ReparsePoint))
            : null;
    }

    public static FileStat Of(ref FileSystemEntry entry) => new(
        entry.LastWriteTimeUtc.UtcDateTime,
        entry.CreationTimeUtc.UtcDateTime,
        entry.Length,
        entry.Attributes.HasFlag(FileAttributes.ReparsePoint));
}
