using System.Collections.Concurrent;
using Npgsql;

namespace ScaleOut.Load;

/// <summary>What customers were told is done. In the end the database must have each of it, exactly once.</summary>
internal sealed class Promises
{
    private readonly ConcurrentBag<Guid> _orders = [];
    private readonly ConcurrentBag<Guid> _payments = [];
    private readonly ConcurrentDictionary<Guid, string> _sentAgain = [];

    public void Ordered(Guid reference) => _orders.Add(reference);

    public void Paid(Guid order) => _payments.Add(order);

    /// <summary>A payment that was stopped and sent again; this replica had its answer.</summary>
    public void PaidAfterAll(Guid order, string replica)
    {
        _payments.Add(order);
        _sentAgain[order] = replica;
    }

    /// <summary>Compares with the database.</summary>
    /// <returns>What there is, and every difference, in words.</returns>
    public async Task<(string Summary, IReadOnlyList<string> Differences)> CompareAsync(string connectionString)
    {
        await using var database = NpgsqlDataSource.Create(connectionString);
        var orders = await ReadAsync(database, "select reference, replica from orders");
        var charges = await ReadAsync(database, "select order_id, replica from charges");
        var payments = await ReadAsync(database, "select order_id, receipt from payments");
        var elsewhere = _sentAgain.Count(payment => charges[payment.Key].Any(replica => replica != payment.Value));
        var summary =
            $"""
            orders             {_orders.Count} were acknowledged
            payments           {_payments.Count} were acknowledged, {_sentAgain.Count} of them stopped and sent again
            adopted            {elsewhere} of these were answered by another replica than the one that was paying

            """;
        return (summary,
        [
            .. Differences("order", _orders, orders),
            .. Differences("charge of order", _payments, charges),
            .. Differences("payment of order", _payments, payments),
        ]);
    }

    /// <summary>What was acknowledged and isn't there, and whatever is there more than once, acknowledged or not.</summary>
    private static IEnumerable<string> Differences(string what, IEnumerable<Guid> acknowledged, ILookup<Guid, string> found) =>
    [
        .. from id in acknowledged
           where !found.Contains(id)
           select $"{what} {id} was acknowledged and is not in the database",
        .. from entry in found
           where entry.Count() != 1
           select $"{what} {entry.Key} is in the database {entry.Count()} times: {string.Join(", ", entry)}",
    ];

    private static async Task<ILookup<Guid, string>> ReadAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<(Guid Id, string Text)>();
        while (await reader.ReadAsync())
        {
            rows.Add((reader.GetGuid(0), reader.GetString(1)));
        }

        return rows.ToLookup(static row => row.Id, static row => row.Text);
    }
}
