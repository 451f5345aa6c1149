using System.Data.Common;
using MinimalApi.Activity;
using MinimalApi.Infrastructure;
using ResilientHosting.Resources;

namespace MinimalApi.Orders;

/// <summary>
/// What one request changes: written together or not at all, as its outcome decides, and announced to the feed only once it is safe.
/// </summary>
internal sealed class OrderChanges(DbTransaction transaction)
{
    private readonly DbConnection _db = transaction.Connection!;
    private readonly List<Order> _placed = [];

    public static async ValueTask<OrderChanges> BeginAsync(ResourceContext request, CancellationToken cancellationToken)
    {
        var db = await request.GetAsync<DbConnection>(cancellationToken);
        return new OrderChanges(await db.BeginTransactionAsync(cancellationToken));
    }

    public static async ValueTask EndAsync(OrderChanges changes, TeardownContext end)
    {
        await using var transaction = changes.Transaction;
        if (end.Outcome.ShouldCommit)
        {
            await transaction.CommitAsync(end.Deadline);
            changes._placed.ForEach(end.Services.GetRequiredService<OrderFeed>().Publish);
            end.Record("changes", "committed");
        }
        else
        {
            await transaction.RollbackAsync(end.Deadline);
            end.Record("changes", "rolled back");
        }
    }

    private DbTransaction Transaction => transaction;

    public async Task<Order> PlaceAsync(NewOrder order, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var placed = new Order(
            Guid.CreateVersion7(at), order.Customer!.Trim(), order.Item!.Trim(), order.Quantity, order.UnitPrice, at, PaidAt: null);
        await _db.ExecuteAsync(
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
            ("createdAt", at.ToUnixTimeMilliseconds()));
        _placed.Add(placed);
        return placed;
    }

    /// <summary>Returns false when the order has been paid already.</summary>
    public async Task<bool> MarkPaidAsync(Guid id, DateTimeOffset at, CancellationToken cancellationToken) =>
        await _db.ExecuteAsync(
            "UPDATE orders SET paid_at = @paidAt WHERE id = @id AND paid_at IS NULL",
            cancellationToken,
            ("paidAt", at.ToUnixTimeMilliseconds()),
            ("id", id.ToString())) == 1;
}
