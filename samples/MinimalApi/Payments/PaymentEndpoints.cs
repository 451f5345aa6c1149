using System.Data.Common;
using Microsoft.AspNetCore.Http.HttpResults;
using MinimalApi.Activity;
using MinimalApi.Orders;

namespace MinimalApi.Payments;

internal sealed record NewPayment(Guid OrderId);

internal sealed record Payment(Guid OrderId, decimal Amount, string Receipt, DateTimeOffset PaidAt);

internal static class PaymentEndpoints
{
    /// <summary>Whoever has asked for a payment may leave: it is completed all the same.</summary>
    public static void MapPayments(this IEndpointRouteBuilder app) =>
        app.MapPost("/payments", PayAsync).WithTags("Payments").CompleteOnClientAbort(within: TimeSpan.FromSeconds(30));

    private static async Task<Results<Ok<Payment>, ProblemHttpResult>> PayAsync(
        NewPayment payment,
        DbDataSource database,
        OrderFeed feed,
        TimeProvider clock,
        PaymentProvider provider,
        ActivityLog activity,
        CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        if (await db.FindOrderAsync(payment.OrderId, cancellationToken) is not { } order)
        {
            return TypedResults.Problem($"There is no order {payment.OrderId}.", statusCode: StatusCodes.Status404NotFound);
        }

        if (order.PaidAt is { } earlier)
        {
            return AlreadyPaid(order, earlier);
        }

        activity.Add("payment", "charging", $"{order.Total} for {order.Customer}");
        var receipt = await provider.ChargeAsync(order, cancellationToken);

        await using var changes = new OrderChanges(await db.BeginTransactionAsync(cancellationToken), feed, clock);
        if (await changes.MarkPaidAsync(order.Id, cancellationToken) is not { } paidAt)
        {
            return AlreadyPaid(order, clock.GetUtcNow());
        }

        await changes.CommitAsync(cancellationToken);
        activity.Add("payment", "completed", $"{order.Total} for {order.Customer}, receipt {receipt}");
        return TypedResults.Ok(new Payment(order.Id, order.Total, receipt, paidAt));
    }

    private static ProblemHttpResult AlreadyPaid(Order order, DateTimeOffset when) =>
        TypedResults.Problem($"Order {order.Id} was paid at {when:u}.", statusCode: StatusCodes.Status409Conflict);
}
