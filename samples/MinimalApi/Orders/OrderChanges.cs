using System.Data.Common;
using MinimalApi.Infrastructure;

namespace MinimalApi.Orders;

/// <summary>
/// What one request changes: written together or not at all, and announced to the feed only once it is safe.
/// </summary>
internal sealed class OrderChanges(DbTransaction transaction, OrderFeed feed, TimeProvider clock) : IAsyncDisposable
{
    private readonly DbConnection _db = transaction.Connection!;
    private readonly List<Order> _placed = [];

    public async Task<Order> PlaceAsync(NewOrder order, CancellationToken cancellationToken)
    {
        var placed = await InsertAsync(_db, order, clock.GetUtcNow(), cancellationToken);
        _placed.Add(placed);
        return placed;
    }

    /// <summary>The moment from which the order counts as paid; null when somebody else has paid it.</summary>
    public async Task<DateTimeOffset?> MarkPaidAsync(Guid id, CancellationToken cancellationToken)
    {
        var paidAt = clock.GetUtcNow();
        var changed = await _db.ExecuteAsync(
            "UPDATE orders SET paid_at = @paidAt WHERE id = @id AND paid_at IS NULL",
            cancellationToken,
            ("paidAt", paidAt.ToUnixTimeMilliseconds()),
            ("id", id.ToString()));
        return changed == 1 ? paidAt : null;
    }

    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        await transaction.CommitAsync(cancellationToken);
        _placed.ForEach(feed.Publish);
    }

    /// <summary>Takes back whatever was not committed.</summary>
    public ValueTask DisposeAsync() => transaction.DisposeAsync();

    internal static async Task<Order> InsertAsync(
        DbConnection db, NewOrder order, DateTimeOffset createdAt, CancellationToken cancellationToken)
    {
        var placed = new Order(
            Guid.CreateVersion7(createdAt), order.Customer!.Trim(), order.Item!.Trim(), order.Quantity, order.UnitPrice, createdAt, PaidAt: null);
        await db.ExecuteAsync(
            """
            INSERT INTO orders (id, customer, item, quantity, unit_cents, created_at)
            VALUES (@id, @customer, @item, @quantity, @unitCents, @createdAt)
            """,
            cancellationToken,
            ("id", placed.Id.ToString()),
            ("customer", placed.Customer),
            ("item", placed.Item),
            ("quantity", placed.Quantity),
            ("unitCents", (long)(placed.UnitPrice * 100)),
            ("createdAt", createdAt.ToUnixTimeMilliseconds()));
        return placed;
    }
}
