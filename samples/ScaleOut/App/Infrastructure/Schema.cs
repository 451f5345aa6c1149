using Microsoft.Extensions.Caching.Distributed;
using Npgsql;
using ResilientHosting.Resources;

namespace ScaleOut.Infrastructure;

/// <summary>Creates the tables before a replica is ready. Replicas that start together take turns.</summary>
internal sealed class Schema(IServiceProvider services, IDistributedCache cache) : IHostedService
{
    private const string Sql =
        """
        -- Held until the commit. A lock of the session would not do: behind PgBouncer nobody has a session.
        select pg_advisory_xact_lock(5080);

        create table if not exists orders (
            id uuid primary key,
            -- The sender's own name for the order. Not unique on purpose: an order that is written twice is to be seen.
            reference uuid not null,
            item text not null,
            quantity int not null,
            unit_price numeric(10, 2) not null,
            created_at timestamptz not null,
            replica text not null);
        create index if not exists orders_created_at on orders (created_at);

        -- One payment for an order, whatever else may fail: adoption spares the second run, this forbids it.
        create table if not exists payments (
            order_id uuid primary key references orders,
            receipt text not null,
            paid_at timestamptz not null);

        -- The payment provider's own books: a row for each time it was asked to charge.
        create table if not exists charges (order_id uuid not null, replica text not null, charged_at timestamptz not null);
        """;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await services.RunInResourceScopeAsync("schema", CreateAsync, cancellationToken);

        // The first connection takes the longest. It is opened here rather than under the first payment.
        await cache.RefreshAsync("first connection", cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static async Task CreateAsync(ResourceScope scope, CancellationToken cancellationToken)
    {
        var transaction = await scope.GetAsync<NpgsqlTransaction>(cancellationToken);
        await transaction.Connection!.RunAsync($"{Sql}\n{PostgreSqlCache.Schema}", cancellationToken);
    }
}
