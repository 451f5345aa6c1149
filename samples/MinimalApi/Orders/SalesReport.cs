using System.Data.Common;
using Microsoft.Extensions.Options;
using MinimalApi.Activity;
using MinimalApi.Infrastructure;

namespace MinimalApi.Orders;

internal sealed record CustomerSales(string Customer, long Orders, decimal Revenue, decimal Unpaid);

internal sealed record SalesReport(IReadOnlyList<CustomerSales> Customers, decimal Revenue, double Seconds);

/// <summary>Builds the report customer by customer, at the leisurely pace of a query over far more data than a sample has.</summary>
internal sealed class SalesReportBuilder(TimeProvider clock, IOptions<PaceOptions> pace, ActivityLog activity)
{
    public async Task<SalesReport> BuildAsync(DbConnection db, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        var customers = await db.ListCustomersAsync(cancellationToken);
        var sales = new List<CustomerSales>(customers.Count);
        activity.Add("report", "started", $"{customers.Count} customers to sum up");
        try
        {
            foreach (var customer in customers)
            {
                await Task.Delay(pace.Value.Report / customers.Count, clock, cancellationToken);
                sales.Add(await db.SumSalesAsync(customer, cancellationToken));
            }
        }
        catch (OperationCanceledException)
        {
            activity.Add("report", "stopped", $"after {sales.Count} of {customers.Count} customers");
            throw;
        }

        activity.Add("report", "finished", $"{sales.Count} customers");
        return new SalesReport(sales, sales.Sum(row => row.Revenue), Math.Round(clock.GetElapsedTime(started).TotalSeconds, 1));
    }
}
