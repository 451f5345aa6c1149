using System.Data.Common;
using MinimalApi.Infrastructure;

namespace MinimalApi.Orders;

/// <summary>Reads orders over any open connection, in SQL that SQLite and PostgreSQL both understand.</summary>
internal static class OrderQueries
{
    private const string SelectOrder = "SELECT id, customer, item, quantity, unit_cents, created_at, paid_at FROM orders ";

    /// <summary>The newest orders; with a <paramref name="search"/> text those whose customer or item contains it.</summary>
    public static async Task<List<Order>> ListOrdersAsync(
        this DbConnection db, string? search, int limit, CancellationToken cancellationToken)
    {
        await using var command = db.CreateCommand(
            SelectOrder + """
            WHERE LOWER(customer) LIKE @pattern ESCAPE '!' OR LOWER(item) LIKE @pattern ESCAPE '!'
            ORDER BY created_at DESC, id DESC LIMIT @limit
            """,
            ("pattern", "%" + EscapeLike(search ?? "") + "%"),
            ("limit", limit));
        return await command.ReadAllAsync(ReadOrder, cancellationToken);
    }

    public static async Task<Order?> FindOrderAsync(this DbConnection db, Guid id, CancellationToken cancellationToken)
    {
        await using var command = db.CreateCommand(SelectOrder + "WHERE id = @id", ("id", id.ToString()));
        return (await command.ReadAllAsync(ReadOrder, cancellationToken)).SingleOrDefault();
    }

    /// <summary>The orders placed since the given one, oldest first: what a reader missed while it was away.</summary>
    public static async Task<List<Order>> ListOrdersSinceAsync(this DbConnection db, Guid id, CancellationToken cancellationToken)
    {
        await using var command = db.CreateCommand(
            SelectOrder + """
            WHERE id <> @id AND created_at >= (SELECT created_at FROM orders WHERE id = @id)
            ORDER BY created_at, id LIMIT 100
            """,
            ("id", id.ToString()));
        return await command.ReadAllAsync(ReadOrder, cancellationToken);
    }

    public static async Task<List<string>> ListCustomersAsync(this DbConnection db, CancellationToken cancellationToken)
    {
        await using var command = db.CreateCommand("SELECT DISTINCT customer FROM orders ORDER BY customer");
        return await command.ReadAllAsync(row => row.GetString(0), cancellationToken);
    }

    public static async Task<CustomerSales> SumSalesAsync(this DbConnection db, string customer, CancellationToken cancellationToken)
    {
        await using var command = db.CreateCommand(
            """
            SELECT COUNT(*), CAST(SUM(quantity * unit_cents) AS BIGINT),
                   CAST(SUM(CASE WHEN paid_at IS NULL THEN quantity * unit_cents ELSE 0 END) AS BIGINT)
            FROM orders WHERE customer = @customer
            """,
            ("customer", customer));
        var sums = await command.ReadAllAsync(
            row => new CustomerSales(customer, row.GetInt64(0), row.GetInt64(1) / 100m, row.GetInt64(2) / 100m), cancellationToken);
        return sums.Single();
    }

    private static Order ReadOrder(DbDataReader row) => new(
        Guid.Parse(row.GetString(0)),
        row.GetString(1),
        row.GetString(2),
        row.GetInt32(3),
        row.GetInt64(4) / 100m,
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5)),
        row.IsDBNull(6) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(6)));

    private static string EscapeLike(string text) => text.Trim().ToLowerInvariant()
        .Replace("!", "!!", StringComparison.Ordinal)
        .Replace("%", "!%", StringComparison.Ordinal)
        .Replace("_", "!_", StringComparison.Ordinal);
}
