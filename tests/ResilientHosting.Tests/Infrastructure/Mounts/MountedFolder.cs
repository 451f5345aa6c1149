using System.Diagnostics;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>A folder that another one is mounted as: what is written behind the mount is seen through it. Unmounted when disposed of.</summary>
public sealed class MountedFolder : IAsyncDisposable
{
    private static readonly string[] FusermountCommand = ["fusermount3", "-u", "-z"];

    private readonly DirectoryInfo _root;
    private readonly string[] _unmount;
    private readonly IDisposable? _server;

    private MountedFolder(DirectoryInfo root, string path, string[] unmount, IDisposable? server)
    {
        (_root, Path, _unmount, _server) = (root, path, unmount, server);
    }

    /// <summary>Gets where the files are.</summary>
    public string Behind => System.IO.Path.Combine(_root.FullName, "behind");

    /// <summary>Gets where they are mounted.</summary>
    public string Path { get; }

    /// <summary>A folder seen through a FUSE file system. The kernel caches nothing of it, so that an edit behind it is seen at once.</summary>
    public static Task<MountedFolder> BindfsAsync(string? at = null) => MountAsync(
        root => ["bindfs", "-o", "attr_timeout=0,entry_timeout=0,negative_timeout=0", root.Behind, root.Mount],
        FusermountCommand,
        at: at);

    /// <summary>A folder of another machine, which is this one.</summary>
    public static async Task<MountedFolder> SshfsAsync()
    {
        var server = await SshServer.StartAsync();
        try
        {
            return await MountAsync(
                root =>
                [
                    "sshfs", "-o", $"{server.ClientOptions},dir_cache=no,attr_timeout=0,entry_timeout=0,negative_timeout=0",
                    $"{Environment.UserName}@127.0.0.1:{root.Behind}", root.Mount,
                ],
                FusermountCommand,
                server);
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    /// <summary>The files of an image with a layer of changes over them, as a container has it. Behind it is the layer.</summary>
    public static async Task<MountedFolder> OverlayAsync()
    {
        // A layer can't lie on an overlay, as the temporary folder of a container does.
        var memory = Directory.CreateTempSubdirectory("overlay-");
        await RunAsync("mount", "-t", "tmpfs", "tmpfs", memory.FullName);
        Directory.CreateDirectory(System.IO.Path.Combine(memory.FullName, "image"));
        Directory.CreateDirectory(System.IO.Path.Combine(memory.FullName, "work"));
        return await MountAsync(
            root =>
            [
                "mount", "-t", "overlay", "overlay", "-o",
                $"lowerdir={memory.FullName}/image,upperdir={root.Behind},workdir={memory.FullName}/work", root.Mount,
            ],
            ["sh", "-c", $"umount -l \"$0\"; umount -l {memory.FullName}; rmdir {memory.FullName}"],
            root: memory.CreateSubdirectory("root"));
    }

    /// <summary>A file system in memory. There is nothing behind it.</summary>
    public static Task<MountedFolder> TmpfsAsync() =>
        MountAsync(root => ["mount", "-t", "tmpfs", "tmpfs", root.Mount], ["umount", "-l"]);

    /// <summary>Writes a file behind the mount and returns its path through the mount.</summary>
    public string WriteBehind(string file, string content) => Write(Behind, file, content);

    /// <summary>Writes a file through the mount and returns its path there.</summary>
    public string Write(string file, string content) => Write(Path, file, content);

    public async ValueTask DisposeAsync()
    {
        await ServerProgram.RunAsync(new ProcessStartInfo(_unmount[0], [.. _unmount[1..], Path]));
        _server?.Dispose();
        if (Directory.Exists(_root.FullName))
        {
            _root.Delete(recursive: true);
        }
    }

    private static async Task<MountedFolder> MountAsync(
        Func<(string Behind, string Mount), string[]> command, string[] unmount, IDisposable? server = null, DirectoryInfo? root = null, string? at = null)
    {
        root ??= Directory.CreateTempSubdirectory("mount-");
        var folder = new MountedFolder(root, at ?? System.IO.Path.Combine(root.FullName, "mount"), unmount, server);
        Directory.CreateDirectory(folder.Behind);
        Directory.CreateDirectory(folder.Path);
        await RunAsync(command((folder.Behind, folder.Path)));
        return folder;
    }

    /// <summary>Runs a command that may leave a process behind, which must not hold our pipes open.</summary>
    private static async Task RunAsync(params string[] command)
    {
        using var folder = new TemporaryFolder();
        var log = folder.Write("log", "");
        try
        {
            await ServerProgram.RunAsync(new ProcessStartInfo("sh", ["-c", "exec \"$@\" >\"$0\" 2>&1 </dev/null", log, .. command]));
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidOperationException($"{string.Join(' ', command)}: {await File.ReadAllTextAsync(log)}", e);
        }
    }

    private string Write(string folder, string file, string content)
    {
        var path = System.IO.Path.Combine(folder, file);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return System.IO.Path.Combine(Path, file);
    }
}
