using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using ResilientHosting.Resources;
using ScaleOut.Infrastructure;

namespace ScaleOut.Payments;

internal sealed record NewPayment(Guid OrderId);

internal sealed record Payment(Guid OrderId, decimal Total, string Receipt);

internal static class PaymentEndpoints
{
    // Longer than a payment takes, and within what a stopping host still waits for: its ShutdownTimeout less two seconds.
    private static readonly TimeSpan LongestPayment = TimeSpan.FromSeconds(20);

    /// <summary>
    /// A payment whose client leaves is finished. One that is sent again with the same Idempotency-Key gets the answer of the first, on
    /// whichever replica it arrives.
    /// </summary>
    public static void MapPayments(this IEndpointRouteBuilder app) =>
        app.MapPost("/payments", PayAsync).CompleteOnClientAbort(LongestPayment).AdoptOnResend();

    private static async Task<Results<Ok<Payment>, NotFound, ProblemHttpResult>> PayAsync(
        NewPayment payment,
        IRequestResource<NpgsqlConnection> connection,
        IRequestResource<NpgsqlTransaction> changes,
        PaymentProvider provider,
        CancellationToken cancelled)
    {
        var db = await connection.GetAsync(cancelled);
        var totals = await db.ReadAsync(
            "select quantity * unit_price from orders where id = $1", static row => row.GetDecimal(0), cancelled, payment.OrderId);
        if (totals is not [var total])
        {
            return TypedResults.NotFound();
        }

        // The provider takes seconds, for which somebody else has the connection.
        await connection.ReleaseAsync();
        var receipt = await provider.ChargeAsync(payment.OrderId, cancelled);

        var transaction = await changes.GetAsync(cancelled);
        var inserted = await transaction.Connection!.RunAsync(
            "insert into payments (order_id, receipt, paid_at) values ($1, $2, now()) on conflict do nothing",
            cancelled,
            payment.OrderId,
            receipt);
        return inserted == 1
            ? TypedResults.Ok(new Payment(payment.OrderId, total, receipt))
            : TypedResults.Problem($"Order {payment.OrderId} has been paid already.", statusCode: StatusCodes.Status409Conflict);
    }
}
