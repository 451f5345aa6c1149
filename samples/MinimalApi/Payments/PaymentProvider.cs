using Microsoft.Extensions.Options;
using MinimalApi.Infrastructure;
using MinimalApi.Orders;

namespace MinimalApi.Payments;

/// <summary>
/// Stands for the payment provider's API on the other end of the network. Like the real ones it takes its time, and charges an order
/// once however often it is asked: the order's id is the idempotency key.
/// </summary>
internal sealed class PaymentProvider(TimeProvider clock, IOptions<PaceOptions> pace)
{
    public async Task<string> ChargeAsync(Order order, CancellationToken cancellationToken)
    {
        await Task.Delay(pace.Value.Payment, clock, cancellationToken);
        return "R-" + order.Id.ToString("N")[^8..].ToUpperInvariant();
    }
}
