using Microsoft.Extensions.Caching.Distributed;
using Npgsql;
using NpgsqlTypes;

namespace ScaleOut.Infrastructure;

/// <summary>
/// A cache that all replicas share, in a table. The database's clock alone says what has expired, so the replicas' clocks may differ.
/// </summary>
internal sealed class PostgreSqlCache(NpgsqlDataSource database) : IDistributedCache
{
    public const string Schema =
        """
        create table if not exists cache (
            key text primary key, value bytea not null, expires_at timestamptz not null, sliding interval);
        create index if not exists cache_expires_at on cache (expires_at);
        """;

    private const string ReadSql =
        "update cache set expires_at = coalesce(now() + sliding, expires_at) where key = $1 and expires_at > now() returning value";

    // Whoever writes takes away some of what has expired. Rows that another writer is at are left to that one.
    private const string WriteSql =
        """
        with expired as (
            delete from cache where key in (
                select key from cache where expires_at < now() and key <> $1 limit 10 for update skip locked))
        insert into cache (key, value, expires_at, sliding) values ($1, $2, now() + coalesce($3, $4, interval '1 day'), $4)
        on conflict (key) do update set value = excluded.value, expires_at = excluded.expires_at, sliding = excluded.sliding
        """;

    private const string RemoveSql = "delete from cache where key = $1";

    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        await using var read = Command(ReadSql, key);
        return (byte[]?)await read.ExecuteScalarAsync(token);
    }

    public async Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        await using var write = WriteCommand(key, value, options);
        await write.ExecuteNonQueryAsync(token);
    }

    public Task RefreshAsync(string key, CancellationToken token = default) => GetAsync(key, token);

    public async Task RemoveAsync(string key, CancellationToken token = default)
    {
        await using var remove = Command(RemoveSql, key);
        await remove.ExecuteNonQueryAsync(token);
    }

    public byte[]? Get(string key)
    {
        using var read = Command(ReadSql, key);
        return (byte[]?)read.ExecuteScalar();
    }

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options)
    {
        using var write = WriteCommand(key, value, options);
        write.ExecuteNonQuery();
    }

    public void Refresh(string key) => Get(key);

    public void Remove(string key)
    {
        using var remove = Command(RemoveSql, key);
        remove.ExecuteNonQuery();
    }

    private NpgsqlCommand WriteCommand(string key, byte[] value, DistributedCacheEntryOptions options)
    {
        if (options.AbsoluteExpiration is not null)
        {
            throw new NotSupportedException("Entries expire by the database's clock: give AbsoluteExpirationRelativeToNow instead.");
        }

        var write = Command(WriteSql, key);
        write.Parameters.Add(new NpgsqlParameter { Value = value });
        write.Parameters.Add(Interval(options.AbsoluteExpirationRelativeToNow));
        write.Parameters.Add(Interval(options.SlidingExpiration));
        return write;
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
