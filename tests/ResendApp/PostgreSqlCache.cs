using Microsoft.Extensions.Caching.Distributed;
using Npgsql;
using NpgsqlTypes;

namespace ResendApp;

/// <summary>A distributed cache in a table of PostgreSQL. The database's clock decides what has expired.</summary>
public sealed class PostgreSqlCache(NpgsqlDataSource database) : IDistributedCache
{
    public const string Schema =
        "create table cache (key text primary key, value bytea not null, expires_at timestamptz not null, sliding interval)";

    private const string ReadSql =
        "update cache set expires_at = coalesce(now() + sliding, expires_at) where key = $1 and expires_at > now() returning value";

    private const string WriteSql =
        """
        insert into cache values ($1, $2, now() + coalesce($3, $4, interval '1 day'), $4)
        on conflict (key) do update set value = excluded.value, expires_at = excluded.expires_at, sliding = excluded.sliding
        """;

    public byte[]? Get(string key)
    {
        using var command = Command(ReadSql, key);
        return (byte[]?)command.ExecuteScalar();
    }

    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        await using var command = Command(ReadSql, key);
        return (byte[]?)await command.ExecuteScalarAsync(token);
    }

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options)
    {
        using var command = WriteCommand(key, value, options);
        command.ExecuteNonQuery();
    }

    public async Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        await using var command = WriteCommand(key, value, options);
        await command.ExecuteNonQueryAsync(token);
    }

    public void Refresh(string key) => Get(key);

    public Task RefreshAsync(string key, CancellationToken token = default) => GetAsync(key, token);

    public void Remove(string key)
    {
        using var command = Command("delete from cache where key = $1", key);
        command.ExecuteNonQuery();
    }

    public async Task RemoveAsync(string key, CancellationToken token = default)
    {
        await using var command = Command("delete from cache where key = $1", key);
        await command.ExecuteNonQueryAsync(token);
    }

    private NpgsqlCommand WriteCommand(string key, byte[] value, DistributedCacheEntryOptions options)
    {
        if (options.AbsoluteExpiration is not null)
        {
            throw new NotSupportedException("Entries expire by the database's clock: give a relative expiration.");
        }

        var command = Command(WriteSql, key);
        command.Parameters.Add(new NpgsqlParameter { Value = value });
        command.Parameters.Add(Interval(options.AbsoluteExpirationRelativeToNow));
        command.Parameters.Add(Interval(options.SlidingExpiration));
        return command;
    }

    private NpgsqlCommand Command(string sql, string key)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = key });
        return command;
    }

    private static NpgsqlParameter Interval(TimeSpan? time) =>
        new() { Value = (object?)time ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Interval };
}
