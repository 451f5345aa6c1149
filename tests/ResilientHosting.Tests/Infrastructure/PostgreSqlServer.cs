using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>
/// A PostgreSQL server of its own: new data folder, free port on loopback, no password, gone when disposed of. Needs the server's
/// programs, not a running service.
/// </summary>
public sealed class PostgreSqlServer : IAsyncDisposable
{
    private readonly string _programs;
    private readonly string _data;
    private readonly Process _process;

    private PostgreSqlServer(string programs, string data, Process process, int port)
    {
        _programs = programs;
        _data = data;
        _process = process;
        ConnectionString = string.Create(
            CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres;Pooling=true;Timeout=10");
    }

    public string ConnectionString { get; }

    /// <summary>Starts a server. Without PostgreSQL on the machine the test is skipped; where continuous integration has to install it, it fails.</summary>
    public static async Task<PostgreSqlServer> StartOrSkipAsync()
    {
        if (FindPrograms() is not { } programs)
        {
            const string Reason =
                "PostgreSQL is not installed: no initdb in /usr/lib/postgresql/*/bin or on the PATH. On Debian: apt-get install postgresql.";
            var mustHave = Environment.GetEnvironmentVariable("CI") == "true" && OperatingSystem.IsLinux();
            Assert.False(mustHave, Reason);
            Assert.Skip(OperatingSystem.IsLinux() ? Reason : $"{Reason} It cannot be installed by eng/test.sh on this system.");
            throw new UnreachableException();
        }

        var data = Path.Combine(Path.GetTempPath(), $"postgres-{Guid.NewGuid():N}");
        var created = await RunAsync(Command(
            programs, "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"));
        Assert.True(created.ExitCode == 0, $"initdb failed:\n{created.Output}");

        var port = FreePort();
        var process = Start(Command(
            programs, "postgres", "-D", data, "-k", "", "-h", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture), "-F"));
        var server = new PostgreSqlServer(programs, data, process, port);
        try
        {
            await server.WaitUntilReadyAsync().WaitAsync(KestrelTestHost.Timeout);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Reads the process id from the server's own data folder, so that no other server can be meant.
        await RunAsync(Command(_programs, "pg_ctl", "stop", "-D", _data, "-m", "immediate"));
        await _process.WaitForExitAsync().WaitAsync(KestrelTestHost.Timeout);
        _process.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    /// <summary>The server says on its error stream when it accepts connections; the stream is read on, or the server would block.</summary>
    private Task WaitUntilReadyAsync()
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var said = new List<string>();
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                ready.TrySetException(new InvalidOperationException($"postgres ended before it was ready:\n{string.Join('\n', said)}"));
                return;
            }

            said.Add(line.Data);
            if (line.Data.Contains("ready to accept connections", StringComparison.Ordinal))
            {
                ready.TrySetResult();
            }
        };
        _process.BeginErrorReadLine();
        return ready.Task;
    }

    private static string? FindPrograms()
    {
        const string DebianFolder = "/usr/lib/postgresql";
        var debian = Directory.Exists(DebianFolder)
            ? Directory.GetDirectories(DebianFolder)
                .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var version) ? version : 0)
                .Select(folder => Path.Combine(folder, "bin"))
            : [];
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        var initdb = OperatingSystem.IsWindows() ? "initdb.exe" : "initdb";
        return debian.Concat(path).FirstOrDefault(folder => File.Exists(Path.Combine(folder, initdb)));
    }

    /// <summary>PostgreSQL refuses to run as root: there it runs as the user its package has created.</summary>
    private static ProcessStartInfo Command(string programs, string program, params string[] arguments)
    {
        var path = Path.Combine(programs, program);
        string[] asPostgres = ["--reuid=postgres", "--regid=postgres", "--clear-groups", "--", path];
        var isRoot = !OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess;
        return new ProcessStartInfo(isRoot ? "setpriv" : path, isRoot ? [.. asPostgres, .. arguments] : arguments)
        {
            WorkingDirectory = Path.GetTempPath(),
            RedirectStandardError = true,
            Environment = { ["LC_ALL"] = "C" },
        };
    }

    private static Process Start(ProcessStartInfo command) =>
        Process.Start(command) ?? throw new InvalidOperationException($"{command.FileName} did not start.");

    private static async Task<(int ExitCode, string Output)> RunAsync(ProcessStartInfo command)
    {
        command.RedirectStandardOutput = true;
        using var process = Start(command);
        var output = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync())
            .WaitAsync(KestrelTestHost.Timeout);
        await process.WaitForExitAsync().WaitAsync(KestrelTestHost.Timeout);
        return (process.ExitCode, string.Concat(output));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
