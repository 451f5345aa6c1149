using System.Data;
using System.Data.Common;
using Microsoft.Data.Sqlite;
using MinimalApi.Activity;
using Npgsql;
using ResilientHosting.Resources;

namespace MinimalApi.Infrastructure;

/// <summary>The database behind the application, and the pool its requests borrow connections from.</summary>
internal static class Database
{
    public static ValueTask<DbConnection> OpenAsync(ResourceContext request, CancellationToken cancellationToken) =>
        request.Services.GetRequiredService<DbDataSource>().OpenConnectionAsync(cancellationToken);

    public static void ConfigurePool(ResourcePoolOptions<DbConnection> pool)
    {
        pool.Validate = WorksAsync;
        pool.Reset = TakeBackAsync;
    }

    /// <summary>
    /// Where connections come from, without a pool of its own: one is enough. PostgreSQL where the connection string <c>Orders</c> is given,
    /// otherwise an SQLite file in the data folder.
    /// </summary>
    public static DbDataSource Create(IServiceProvider services) =>
        services.GetRequiredService<IConfiguration>().GetConnectionString("Orders") is { Length: > 0 } postgres
            ? NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(postgres) { Pooling = false })
            : CreateSqlite(services.GetRequiredService<DataFolder>().PathOf("orders.db"));

    /// <summary>Asked before a connection is used again that was idle for a while, or whose last request failed.</summary>
    private static async ValueTask<bool> WorksAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        using var command = connection.CreateCommand("SELECT 1");
        await command.ExecuteScalarAsync(cancellationToken);
        return true;
    }

    /// <summary>A connection comes back, however its request has ended. One that broke meanwhile is replaced.</summary>
    private static ValueTask<bool> TakeBackAsync(DbConnection connection, TeardownContext end)
    {
        end.Record("connection", "returned");
        return ValueTask.FromResult(connection.State == ConnectionState.Open);
    }

    private static DbDataSource CreateSqlite(string path)
    {
        SQLitePCL.Batteries_V2.Init();
        var connectionString = new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString;

        // Write-ahead logging, which the file remembers: readers and the writer do not wait for each other.
        using var db = new SqliteConnection(connectionString);
        db.Open();
        using var command = db.CreateCommand("PRAGMA journal_mode = WAL");
        command.ExecuteNonQuery();

        return SqliteFactory.Instance.CreateDataSource(connectionString);
    }
}
