using Microsoft.Extensions.Options;
using ScaleOut.Infrastructure;

namespace ScaleOut.Payments;

/// <summary>
/// Stands for the payment provider on the other end of the network: it takes its time, and keeps books of its own, which show whether it
/// was asked twice.
/// </summary>
internal sealed class PaymentProvider(Database database, IConfiguration configuration, TimeProvider clock, IOptions<PaceOptions> pace)
{
    public async Task<string> ChargeAsync(Guid order, CancellationToken cancellationToken)
    {
        await using (var db = await database.ForCache.OpenConnectionAsync(cancellationToken))
        {
            await db.RunAsync(
                "insert into charges (order_id, replica, charged_at) values ($1, $2, now())",
                cancellationToken,
                order,
                Replica.NameFrom(configuration));
        }

        await Task.Delay(pace.Value.Payment, clock, cancellationToken);
        return "R-" + order.ToString("N")[^8..].ToUpperInvariant();
    }
}
