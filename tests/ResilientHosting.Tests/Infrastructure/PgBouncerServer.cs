using System.Globalization;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>
/// A PgBouncer of its own before a PostgreSQL server: transaction pooling, free port on loopback, no password, gone when disposed of.
/// </summary>
public sealed class PgBouncerServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly ServerProcess _process;

    private PgBouncerServer(DirectoryInfo folder, ServerProcess process, int port)
    {
        _folder = folder;
        _process = process;

        // With the pool outside, a connection is opened for each request: no second pool, nothing prepared on a server connection that
        // the next transaction may not get, and no reset of a session that is not ours.
        ConnectionString = string.Create(
            CultureInfo.InvariantCulture,
            $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres;Pooling=false;Max Auto Prepare=0;No Reset On Close=true;Timeout=10");
    }

    public static bool IsInstalled => Program is not null;

    public string ConnectionString { get; }

    private static string? Program => ServerProgram.Find("pgbouncer", "/usr/sbin");

    public static async Task<PgBouncerServer> StartAsync(PostgreSqlServer server, int poolSize)
    {
        var program = Program ?? throw new InvalidOperationException(
            "PgBouncer is not installed: no pgbouncer in /usr/sbin or on the PATH. On Debian: apt-get install pgbouncer.");

        // Not a folder of CreateTempSubdirectory: that one would be unreadable to the user PgBouncer runs as.
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"pgbouncer-{Guid.NewGuid():N}"));
        var users = Path.Combine(folder.FullName, "users.txt");
        var settings = Path.Combine(folder.FullName, "pgbouncer.ini");
        var port = ServerProgram.FreePort();
        await File.WriteAllTextAsync(users, "\"postgres\" \"\"\n");
        await File.WriteAllTextAsync(settings, string.Create(CultureInfo.InvariantCulture, $"""
            [databases]
            * = host=127.0.0.1 port={server.Port}

            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = trust
            auth_file = {users}
            admin_users = postgres
            pool_mode = transaction
            default_pool_size = {poolSize}
            max_client_conn = 1000
            ignore_startup_parameters = extra_float_digits

            """));
        try
        {
            var process = await ServerProcess.StartAsync(ServerProgram.Command(program, settings), readyMark: "process up");
            return new PgBouncerServer(folder, process, port);
        }
        catch
        {
            folder.Delete(recursive: true);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }
}
