using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace MinimalApi.Infrastructure;

internal static class Database
{
    /// <summary>PostgreSQL where the connection string <c>Orders</c> is given, otherwise an SQLite file in the data folder.</summary>
    public static DbDataSource Create(IConfiguration configuration, DataFolder data) =>
        configuration.GetConnectionString("Orders") is { Length: > 0 } postgres
            ? NpgsqlDataSource.Create(postgres)
            : CreateSqlite(data.PathOf("orders.db"));

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
