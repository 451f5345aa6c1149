using System.Data;
using Npgsql;
using ResilientHosting.Benchmarks.Peers;

namespace ResilientHosting.Outages;

/// <summary>The pools that are compared, all with the same size, deadline and connection settings.</summary>
internal static class Contestants
{
    private const string Probe = "SELECT 1";

    public static IReadOnlyList<Func<int, Task<IPool<NpgsqlConnection>>>> All(PoolLimits limits) =>
    [
        async port => await ResourcePool<NpgsqlConnection>.StartAsync(token => OpenAsync(port, token), pool =>
        {
            pool.MaxSize = limits.MaxSize;
            pool.AcquireTimeout = limits.AcquireTimeout;
            pool.ValidationTimeout = TimeSpan.FromSeconds(1);
            pool.Validate = IsAliveAsync;
        }),
        port => Task.FromResult<IPool<NpgsqlConnection>>(new NpgsqlPool(Settings(port), limits)),
        port => Peer("semaphore", new SemaphorePool<NpgsqlConnection>(limits.MaxSize, Connections(port)), limits),
        port => Peer("channel", new ChannelPool<NpgsqlConnection>(limits.MaxSize, Connections(port)), limits),
    ];

    private static NpgsqlConnectionStringBuilder Settings(int port) => new()
    {
        Host = "127.0.0.1",
        Port = port,
        Username = "postgres",
        Database = "postgres",
        Pooling = false,
        Timeout = 2,
        CommandTimeout = 1,

        // A connection is one connect and nothing else, so that connects can be counted.
        CancellationTimeout = -1,
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
    };

    private static async ValueTask<bool> IsAliveAsync(NpgsqlConnection connection, CancellationToken token)
    {
        await using var command = new NpgsqlCommand(Probe, connection);
        return await command.ExecuteScalarAsync(token) is 1;
    }

    private static async ValueTask<NpgsqlConnection> OpenAsync(int port, CancellationToken token)
    {
        var connection = new NpgsqlConnection(Settings(port).ConnectionString);
        try
        {
            await connection.OpenAsync(token);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static Pooled<NpgsqlConnection> Connections(int port) => new(
        token => OpenAsync(port, token),
        connection => connection.State == ConnectionState.Open,
        connection => connection.DisposeAsync());

    private static Task<IPool<NpgsqlConnection>> Peer(string name, IPeerPool<NpgsqlConnection> pool, PoolLimits limits) =>
        Task.FromResult<IPool<NpgsqlConnection>>(new PeerPool<NpgsqlConnection>(name, pool, limits));
}
