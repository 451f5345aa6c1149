using System.Data.Common;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace MinimalApi.Orders;

internal static class OrderEndpoints
{
    public static void MapOrders(this IEndpointRouteBuilder app)
    {
        var orders = app.MapGroup("/orders").WithTags("Orders");
        orders.MapGet("/", ListAsync);
        orders.MapGet("/{id:guid}", FindAsync);
        orders.MapPost("/", PlaceAsync);
        orders.MapGet("/report", ReportAsync);
        orders.MapGet("/stream", Stream);
    }

    private static async Task<Results<Ok<List<Order>>, ValidationProblem>> ListAsync(
        DbDataSource database, CancellationToken cancellationToken, string? search = null, int limit = 50)
    {
        if (limit is < 1 or > 200)
        {
            return TypedResults.ValidationProblem(
                new Dictionary<string, string[]> { ["limit"] = [$"Ask for 1 to 200 orders; {limit} is out of range."] });
        }

        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return TypedResults.Ok(await db.ListOrdersAsync(search, limit, cancellationToken));
    }

    private static async Task<Results<Ok<Order>, NotFound>> FindAsync(Guid id, DbDataSource database, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return await db.FindOrderAsync(id, cancellationToken) is { } order ? TypedResults.Ok(order) : TypedResults.NotFound();
    }

    private static async Task<Results<Created<Order>, ValidationProblem>> PlaceAsync(
        NewOrder order, DbDataSource database, OrderFeed feed, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (order.Validate() is { Count: > 0 } errors)
        {
            return TypedResults.ValidationProblem(errors);
        }

        await using var db = await database.OpenConnectionAsync(cancellationToken);
        await using var changes = new OrderChanges(await db.BeginTransactionAsync(cancellationToken), feed, clock);
        var placed = await changes.PlaceAsync(order, cancellationToken);
        await changes.CommitAsync(cancellationToken);
        return TypedResults.Created($"/orders/{placed.Id}", placed);
    }

    private static async Task<Ok<SalesReport>> ReportAsync(
        DbDataSource database, SalesReportBuilder report, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return TypedResults.Ok(await report.BuildAsync(db, cancellationToken));
    }

    private static ServerSentEventsResult<Order?> Stream(
        OrderFeed feed,
        DbDataSource database,
        CancellationToken cancellationToken,
        [FromHeader(Name = "Last-Event-ID")] Guid? lastSeen = null) =>
        TypedResults.ServerSentEvents(ReadFeedAsync(feed, database, lastSeen, cancellationToken));

    private static async IAsyncEnumerable<SseItem<Order?>> ReadFeedAsync(
        OrderFeed feed, DbDataSource database, Guid? lastSeen, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Subscribed before looking back: an order placed in between is sent twice, never lost; readers know it by its id.
        using var subscription = feed.Subscribe();
        yield return new SseItem<Order?>(null, "ready");

        if (lastSeen is { } id)
        {
            await using var db = await database.OpenConnectionAsync(cancellationToken);
            foreach (var missed in await db.ListOrdersSinceAsync(id, cancellationToken))
            {
                yield return ToEvent(missed);
            }
        }

        await foreach (var order in subscription.ReadAllAsync(cancellationToken))
        {
            yield return ToEvent(order);
        }
    }

    private static SseItem<Order?> ToEvent(Order order) => new(order, "order") { EventId = order.Id.ToString() };
}
