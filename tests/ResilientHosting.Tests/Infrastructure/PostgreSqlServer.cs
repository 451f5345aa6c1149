using System.Globalization;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>
/// A PostgreSQL server of its own: new data folder, free port on loopback, no password, gone when disposed of. Needs the server's
/// programs, not a running service. It can fail on demand: <see cref="StopAsync"/> and <see cref="StartAgainAsync"/>,
/// <see cref="FreezeAsync"/> and <see cref="ResumeAsync"/>.
/// </summary>
public sealed class PostgreSqlServer : IAsyncDisposable
{
    private const string DebianFolder = "/usr/lib/postgresql";

    private readonly string _programs;
    private readonly string _data;
    private ServerProcess? _process;
    private IReadOnlyList<int> _frozen = [];

    private PostgreSqlServer(string programs, string data, int port)
    {
        _programs = programs;
        _data = data;
        Port = port;
        ConnectionString = string.Create(
            CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres;Pooling=true;Timeout=10");
    }

    public static bool IsInstalled => FindPrograms() is not null;

    public int Port { get; }

    public string ConnectionString { get; }

    public static async Task<PostgreSqlServer> StartAsync()
    {
        var programs = FindPrograms() ?? throw new InvalidOperationException(
            $"PostgreSQL is not installed: no initdb in {DebianFolder}/*/bin or on the PATH. On Debian: apt-get install postgresql.");
        var data = Path.Combine(Path.GetTempPath(), $"postgres-{Guid.NewGuid():N}");
        await ServerProgram.RunAsync(ServerProgram.Command(
            Path.Combine(programs, "initdb"),
            "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"));

        var server = new PostgreSqlServer(programs, data, ServerProgram.FreePort());
        try
        {
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the server at once, as a crash would: connections break, new ones are refused.</summary>
    public async Task StopAsync()
    {
        if (_process is null)
        {
            return;
        }

        await ResumeAsync();

        // Reads the process id from the server's own data folder, so that no other server can be meant.
        await ServerProgram.RunAsync(ServerProgram.Command(Path.Combine(_programs, "pg_ctl"), "stop", "-D", _data, "-m", "immediate"));
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Starts the stopped server on the same port and data, and waits until it accepts connections.</summary>
    public async Task StartAgainAsync() => _process = await ServerProcess.StartAsync(
        ServerProgram.Command(
            Path.Combine(_programs, "postgres"),
            "-D", _data, "-k", "", "-h", "127.0.0.1", "-p", Port.ToString(CultureInfo.InvariantCulture), "-F"),
        readyMark: "ready to accept connections");

    /// <summary>Lets the server hang, with every process it has: connections stay, new ones are accepted by the kernel, nothing answers.</summary>
    public async Task FreezeAsync()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("Freezing a server needs /proc to find its processes.");
        }

        // The parent stops first and goes on last: meanwhile it starts no process, and those that end are not forgotten, so that every id
        // stays one of ours.
        var parent = _process?.Id ?? throw new InvalidOperationException("The server is stopped; there is nothing to freeze.");
        await ServerProgram.SignalAsync("STOP", [parent]);
        _frozen = [parent];
        var children = await File.ReadAllTextAsync($"/proc/{parent}/task/{parent}/children");
        _frozen = [.. children.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => int.Parse(id, CultureInfo.InvariantCulture)), parent];
        await ServerProgram.SignalAsync("STOP", _frozen);
    }

    /// <summary>Lets a frozen server go on; does nothing to another.</summary>
    public async Task ResumeAsync()
    {
        if (_frozen.Count > 0)
        {
            await ServerProgram.SignalAsync("CONT", _frozen);
            _frozen = [];
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_data, recursive: true);
    }

    private static string? FindPrograms()
    {
        var debian = Directory.Exists(DebianFolder)
            ? Directory.GetDirectories(DebianFolder)
                .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var version) ? version : 0)
                .Select(folder => Path.Combine(folder, "bin"))
            : [];
        return Path.GetDirectoryName(ServerProgram.Find("initdb", debian));
    }
}
