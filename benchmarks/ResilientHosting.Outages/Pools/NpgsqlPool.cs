using Npgsql;

namespace ResilientHosting.Outages;

/// <summary>The driver's own pool. Its connection time-out bounds waiting and connecting together.</summary>
internal sealed class NpgsqlPool(NpgsqlConnectionStringBuilder settings, PoolLimits limits) : IPool<NpgsqlConnection>
{
    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(settings.ConnectionString)
        {
            Pooling = true,
            MaxPoolSize = limits.MaxSize,
            Timeout = (int)limits.AcquireTimeout.TotalSeconds,
        });

    public string Name => "Npgsql";

    public async Task UseAsync(Func<NpgsqlConnection, Task> work)
    {
        await using var connection = await _source.OpenConnectionAsync();
        await work(connection);
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
