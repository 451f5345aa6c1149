using System.Collections.Frozen;

namespace ResilientHosting.Reloading;

/// <summary>
/// Whether the operating system's events can be relied on. They tell what this machine did to the files. What somebody does to a share, or
/// to a folder that a container has mounted, from the other side raises none.
/// </summary>
internal static class FileSystemType
{
    public const string Unknown = "unknown";

    // Types of which every change goes through this machine. Any other, known or not, is looked at instead.
    private static readonly FrozenSet<string> Local = new[]
    {
        "ext2", "ext3", "ext4", "ext2/ext3", "xfs", "btrfs", "zfs", "bcachefs", "f2fs", "jfs", "reiserfs", "nilfs2", "ubifs",
        "tmpfs", "ramfs", "overlay", "overlayfs", "fuse.fuse-overlayfs", "lxfs",
        "ntfs", "ntfs3", "refs", "exfat", "vfat", "msdos", "fat", "fat32", "fuseblk",
        "apfs", "hfs", "ufs",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static bool TellsOfEveryChange(string type) => Local.Contains(type);

    /// <summary>The type of the file system that a folder is on, by the name that mount tables use.</summary>
    public static string Of(string folder)
    {
        try
        {
            // Not DriveType: it takes the mounts of virtual machines for local disks.
            return new DriveInfo(folder).DriveFormat is { Length: > 0 } type ? type : Unknown;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Gone, a server that doesn't answer, or a share that Windows has no drive letter for.
            return Unknown;
        }
    }
}
