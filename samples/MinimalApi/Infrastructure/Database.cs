using System.Data.Common;
using Microsoft.Data.Sqlite;
using MinimalApi.Activity;
using Npgsql;
using ResilientHosting.Resources;

namespace MinimalApi.Infrastructure;

/// <summary>The database behind the application, and each request's connection to it.</summary>
internal static class Database
{
    public static ValueTask<DbConnection> OpenAsync(ResourceContext request, CancellationToken cancellationToken) =>
        request.Services.GetRequiredService<DbDataSource>().OpenConnectionAsync(cancellationToken);

    public static async ValueTask CloseAsync(DbConnection connection, TeardownContext end)
    {
        await connection.DisposeAsync();
        end.Record("connection", "closed");
    }

    /// <summary>PostgreSQL where the connection string <c>Orders</c> is given, otherwise an SQLite file in the data folder.</summary>
    public static DbDataSource Create(IServiceProvider services) =>
        services.GetRequiredService<IConfiguration>().GetConnectionString("Orders") is { Length: > 0 } postgres
            ? NpgsqlDataSource.Create(postgres)
            : CreateSqlite(services.GetRequiredService<DataFolder>().PathOf("orders.db"));

    private static DbDataSource CreateSqlite(string path)
    {
        SQLitePCL.Batteries_V2.Init();
        var connectionString = new SqliteConnectionStringBuilder { DataSource = path }.ConnectionString;

        // Write-ahead logging, which the file remembers: readers and the writer do not wait for each other.
        using var db = new SqliteConnection(connectionString);
        db.Open();
        using var command = db.CreateCommand("PRAGMA journal_mode = WAL");
        command.ExecuteNonQuery();

        return SqliteFactory.Instance.CreateDataSource(connectionString);
    }
}
