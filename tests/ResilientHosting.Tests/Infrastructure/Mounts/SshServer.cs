using System.Diagnostics;
using System.Globalization;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>An SSH server of its own: on loopback, with its own keys, for the user who runs the tests, gone when disposed of.</summary>
public sealed class SshServer : IDisposable
{
    private const string Program = "/usr/sbin/sshd";

    private readonly DirectoryInfo _folder;
    private readonly ServerProcess _process;

    private SshServer(DirectoryInfo folder, ServerProcess process, int port)
    {
        (_folder, _process) = (folder, process);
        ClientOptions = string.Create(
            CultureInfo.InvariantCulture,
            $"port={port},IdentityFile={folder.FullName}/client,IdentitiesOnly=yes,UserKnownHostsFile={folder.FullName}/known,ssh_command=ssh -F /dev/null");
    }

    public static bool IsInstalled => File.Exists(Program);

    /// <summary>Gets the options with which a client gets in, as sshfs takes them.</summary>
    public string ClientOptions { get; }

    public static async Task<SshServer> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("sshd-");
        var port = ServerProgram.FreePort();
        foreach (var key in new[] { "host", "client" })
        {
            await ServerProgram.RunAsync(new ProcessStartInfo(
                "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(folder.FullName, key)]));
        }

        var hostKey = await File.ReadAllTextAsync(Path.Combine(folder.FullName, "host.pub"));
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "known"), string.Create(CultureInfo.InvariantCulture, $"[127.0.0.1]:{port} {hostKey}"));
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "config"), string.Create(CultureInfo.InvariantCulture, $"""
            ListenAddress 127.0.0.1
            Port {port}
            HostKey {folder.FullName}/host
            AuthorizedKeysFile {folder.FullName}/client.pub
            PidFile none
            UsePAM no
            StrictModes no
            PasswordAuthentication no
            PermitRootLogin prohibit-password
            Subsystem sftp internal-sftp

            """));
        if (Environment.IsPrivilegedProcess)
        {
            // Where its unprivileged half is locked into. The package's service would create it.
            Directory.CreateDirectory("/run/sshd");
        }

        var command = new ProcessStartInfo(Program, ["-D", "-e", "-f", Path.Combine(folder.FullName, "config")]) { RedirectStandardError = true };
        return new SshServer(folder, await ServerProcess.StartAsync(command, readyMark: "Server listening"), port);
    }

    public void Dispose()
    {
        _process.Kill();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }
}
