using System.Data.Common;
using Microsoft.AspNetCore.Http.HttpResults;
using MinimalApi.Activity;
using MinimalApi.Orders;
using ResilientHosting.Resources;

namespace MinimalApi.Payments;

internal sealed record NewPayment(Guid OrderId);

internal sealed record Payment(Guid OrderId, decimal Amount, string Receipt, DateTimeOffset PaidAt);

internal static class PaymentEndpoints
{
    /// <summary>
    /// Whoever has asked for a payment may leave: it is completed all the same. Whoever asks again meanwhile, with the same
    /// <c>Idempotency-Key</c>, gets its receipt.
    /// </summary>
    public static void MapPayments(this IEndpointRouteBuilder app) => app.MapPost("/payments", PayAsync)
        .WithTags("Payments")
        .CompleteOnClientAbort(within: TimeSpan.FromSeconds(30))
        .AdoptOnResend();

    private static async Task<Results<Ok<Payment>, ProblemHttpResult>> PayAsync(
        NewPayment payment,
        Resource<DbConnection> connection,
        IRequestResource<OrderChanges> changes,
        PaymentProvider provider,
        ActivityLog activity,
        TimeProvider clock,
        CancellationToken cancellationToken)
    {
        if (await connection.Value.FindOrderAsync(payment.OrderId, cancellationToken) is not { } order)
        {
            return TypedResults.Problem($"There is no order {payment.OrderId}.", statusCode: StatusCodes.Status404NotFound);
        }

        if (order.PaidAt is not null)
        {
            return AlreadyPaid(order);
        }

        activity.Add("payment", "charging", $"{order.Total} for {order.Customer}");
        var receipt = await provider.ChargeAsync(order, cancellationToken);

        // The transaction begins only now: nobody else had to wait for the payment provider.
        var paidAt = clock.GetUtcNow();
        if (!await (await changes.GetAsync(cancellationToken)).MarkPaidAsync(order.Id, paidAt, cancellationToken))
        {
            return AlreadyPaid(order);
        }

        // Commits now, not after the handler: only what is safe is called completed.
        await changes.ReleaseAsync();
        activity.Add("payment", "completed", $"{order.Total} for {order.Customer}, receipt {receipt}");
        return TypedResults.Ok(new Payment(order.Id, order.Total, receipt, paidAt));
    }

    private static ProblemHttpResult AlreadyPaid(Order order) =>
        TypedResults.Problem($"Order {order.Id} has been paid already.", statusCode: StatusCodes.Status409Conflict);
}
