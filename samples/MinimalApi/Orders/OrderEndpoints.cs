using System.Data.Common;
using Microsoft.AspNetCore.Http.HttpResults;
using ResilientHosting.Resources;

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
        orders.MapGet("/stream", OrderStream.Open);
    }

    private static async Task<Results<Ok<List<Order>>, ValidationProblem>> ListAsync(
        IRequestResource<DbConnection> connection, CancellationToken cancellationToken, string? search = null, int limit = 50)
    {
        if (limit is < 1 or > 200)
        {
            return TypedResults.ValidationProblem(
                new Dictionary<string, string[]> { ["limit"] = [$"Ask for 1 to 200 orders; {limit} is out of range."] });
        }

        var db = await connection.GetAsync(cancellationToken);
        return TypedResults.Ok(await db.ListOrdersAsync(search, limit, cancellationToken));
    }

    private static async Task<Results<Ok<Order>, NotFound>> FindAsync(
        Guid id, Resource<DbConnection> connection, CancellationToken cancellationToken) =>
        await connection.Value.FindOrderAsync(id, cancellationToken) is { } order ? TypedResults.Ok(order) : TypedResults.NotFound();

    private static async Task<Results<Created<Order>, ValidationProblem>> PlaceAsync(
        NewOrder order, IRequestResource<OrderChanges> changes, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (order.Validate() is { Count: > 0 } errors)
        {
            return TypedResults.ValidationProblem(errors);
        }

        var placed = await (await changes.GetAsync(cancellationToken)).PlaceAsync(order, clock.GetUtcNow(), cancellationToken);
        return TypedResults.Created($"/orders/{placed.Id}", placed);
    }

    private static async Task<Ok<SalesReport>> ReportAsync(
        Resource<DbConnection> connection, SalesReportBuilder report, CancellationToken cancellationToken) =>
        TypedResults.Ok(await report.BuildAsync(connection.Value, cancellationToken));
}
