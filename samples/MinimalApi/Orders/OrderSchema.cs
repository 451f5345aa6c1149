using System.Data.Common;
using MinimalApi.Infrastructure;
using ResilientHosting.Resources;

namespace MinimalApi.Orders;

/// <summary>Creates the table and, when it is empty, a few orders to look at, before the first request is accepted.</summary>
internal sealed class OrderSchema(IServiceProvider services, TimeProvider clock) : IHostedService
{
    private static readonly string[] Customers = ["Ada", "Barbara", "Edsger", "Grace", "Ken", "Leslie", "Margaret", "Niklaus"];
    private static readonly (string Name, decimal Price)[] Items =
        [("Desk lamp", 39.90m), ("Notebook", 4.20m), ("Fountain pen", 58.00m), ("Chair", 249.00m), ("Kettle", 34.50m)];

    public Task StartAsync(CancellationToken cancellationToken) =>
        services.RunInResourceScopeAsync("order schema", CreateAsync, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task CreateAsync(ResourceScope scope, CancellationToken cancellationToken)
    {
        var db = await scope.GetAsync<DbConnection>(cancellationToken);
        await db.ExecuteAsync(
            """
            CREATE TABLE IF NOT EXISTS orders (
                id TEXT PRIMARY KEY,
                customer TEXT NOT NULL,
                item TEXT NOT NULL,
                quantity INTEGER NOT NULL,
                unit_cents BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                paid_at BIGINT NULL)
            """,
            cancellationToken);
        await db.ExecuteAsync("CREATE INDEX IF NOT EXISTS orders_created_at ON orders (created_at)", cancellationToken);

        if ((await db.ListOrdersAsync(search: null, limit: 1, cancellationToken)).Count == 0)
        {
            await SeedAsync(await scope.GetAsync<OrderChanges>(cancellationToken), cancellationToken);
        }
    }

    private async Task SeedAsync(OrderChanges changes, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        for (var i = 0; i < 24; i++)
        {
            var (item, price) = Items[i % Items.Length];
            var order = new NewOrder(Customers[i % Customers.Length], item, 1 + (i % 3), price);
            await changes.PlaceAsync(order, now.AddHours(i - 24), cancellationToken);
        }
    }
}
