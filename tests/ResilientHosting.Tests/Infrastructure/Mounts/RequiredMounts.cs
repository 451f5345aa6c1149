using System.Diagnostics;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>
/// Mounts for tests. Without its programs a test is skipped; where continuous integration has to install them, it fails. What the kernel
/// or the rights of the user don't allow nobody can install: then the test is skipped.
/// </summary>
internal static class RequiredMounts
{
    public static Task<MountedFolder> MountOrSkipAsync(string kind, string? at = null) => kind switch
    {
        "bindfs" => FuseAsync(ServerProgram.Find("bindfs", "/usr/bin") is not null, "bindfs", () => MountedFolder.BindfsAsync(at)),
        "sshfs" => FuseAsync(
            ServerProgram.Find("sshfs", "/usr/bin") is not null && SshServer.IsInstalled, "sshfs openssh-server", MountedFolder.SshfsAsync),
        "overlay" => RootAsync(MountedFolder.OverlayAsync),
        "tmpfs" => RootAsync(MountedFolder.TmpfsAsync),
        _ => throw new UnreachableException(),
    };

    /// <summary>Skips a test that needs something a package brings.</summary>
    public static void RequirePackage(bool isInstalled, string package)
    {
        if (!isInstalled)
        {
            var reason = $"Not installed. On Debian: apt-get install {package}.";
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true" && OperatingSystem.IsLinux(), reason);
            Assert.Skip(OperatingSystem.IsLinux() ? reason : $"{reason} It cannot be installed by eng/test.sh on this system.");
        }
    }

    private static async Task<MountedFolder> FuseAsync(bool isInstalled, string package, Func<Task<MountedFolder>> mount)
    {
        RequirePackage(isInstalled, package);
        Assert.SkipUnless(File.Exists("/dev/fuse"), "There is no /dev/fuse. It belongs to the kernel and cannot be installed.");
        return await MountAsync(mount);
    }

    private static async Task<MountedFolder> RootAsync(Func<Task<MountedFolder>> mount)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only root of a Linux mounts, which cannot be installed.");
        return await MountAsync(mount);
    }

    private static async Task<MountedFolder> MountAsync(Func<Task<MountedFolder>> mount)
    {
        try
        {
            return await mount();
        }
        catch (InvalidOperationException e) when (e.Message.Contains("ermission denied", StringComparison.Ordinal) || e.Message.Contains("not permitted", StringComparison.Ordinal))
        {
            Assert.Skip($"The right to mount cannot be installed: {e.Message}");
            throw new UnreachableException();
        }
    }
}
