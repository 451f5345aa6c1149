using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Npgsql;
using ResilientHosting.Resources;
using ScaleOut.Infrastructure;

namespace ScaleOut.Orders;

internal static class OrderEndpoints
{
    private const string Columns = "id, reference, item, quantity, unit_price, created_at, replica";

    public static void MapOrders(this IEndpointRouteBuilder app)
    {
        var orders = app.MapGroup("/orders");
        orders.MapGet("/", ListAsync);
        orders.MapGet("/{id:guid}", FindAsync);
        orders.MapPost("/", PlaceAsync);
        orders.MapGet("/report", ReportAsync);
    }

    private static async Task<List<Order>> ListAsync(Resource<NpgsqlConnection> db, CancellationToken aborted) =>
        await db.Value.ReadAsync($"select {Columns} from orders order by created_at desc limit 20", ReadOrder, aborted);

    private static async Task<Results<Ok<Order>, NotFound>> FindAsync(Guid id, Resource<NpgsqlConnection> db, CancellationToken aborted)
    {
        var found = await db.Value.ReadAsync($"select {Columns} from orders where id = $1", ReadOrder, aborted, id);
        return found is [var order] ? TypedResults.Ok(order) : TypedResults.NotFound();
    }

    private static async Task<Results<Created<Order>, ValidationProblem>> PlaceAsync(
        NewOrder order,
        IRequestResource<NpgsqlTransaction> changes,
        TimeProvider clock,
        IConfiguration configuration,
        CancellationToken aborted)
    {
        if (order.Validate() is { Count: > 0 } errors)
        {
            return TypedResults.ValidationProblem(errors);
        }

        var at = clock.GetUtcNow();
        var placed = new Order(
            Guid.CreateVersion7(at), order.Reference, order.Item!, order.Quantity, order.UnitPrice, at, Replica.NameFrom(configuration));
        var transaction = await changes.GetAsync(aborted);
        await transaction.Connection!.RunAsync(
            $"insert into orders ({Columns}) values ($1, $2, $3, $4, $5, $6, $7)",
            aborted,
            placed.Id,
            placed.Reference,
            placed.Item,
            placed.Quantity,
            placed.UnitPrice,
            placed.CreatedAt,
            placed.Replica);
        return TypedResults.Created($"/orders/{placed.Id}", placed);
    }

    /// <summary>One slow statement: it holds a connection of the database for all its time.</summary>
    private static async Task<List<ItemSales>> ReportAsync(
        Resource<NpgsqlConnection> db, IOptions<PaceOptions> pace, CancellationToken aborted) =>
        await db.Value.ReadAsync(
            """
            with large as materialized (select pg_sleep($1))
            select item, count(*), sum(quantity * unit_price) from orders, large group by item order by item
            """,
            static row => new ItemSales(row.GetString(0), row.GetInt64(1), row.GetDecimal(2)),
            aborted,
            pace.Value.Report.TotalSeconds);

    private static Order ReadOrder(NpgsqlDataReader row) => new(
        row.GetGuid(0),
        row.GetGuid(1),
        row.GetString(2),
        row.GetInt32(3),
        row.GetDecimal(4),
        row.GetFieldValue<DateTimeOffset>(5),
        row.GetString(6));
}
