using System.Text;

namespace ResilientHosting.ReloadLatency;

/// <summary>One source file as business code has them: a record, and a class of fifteen methods with queries, branches and awaits.</summary>
internal static class GeneratedSource
{
    private const int Methods = 15;

    public static string Create(string project, int number)
    {
        var methods = new StringBuilder();
        for (var method = 0; method < Methods; method++)
        {
            methods.AppendLine((method % 3) switch { 0 => Query(method), 1 => Await(method), _ => Branch(method) });
        }

        return $$"""
            namespace {{project}}.Area{{number / 10}};

            public sealed record Order{{number}}(int Id, string Customer, decimal Total, DateTimeOffset Placed);

            public sealed class Orders{{number}}(IReadOnlyList<Order{{number}}> orders)
            {
                private readonly Dictionary<int, Order{{number}}> _byId = orders.ToDictionary(order => order.Id);

            {{methods.ToString().Replace("Order_", $"Order{number}", StringComparison.Ordinal)}}
            }
            """;
    }

    private static string Query(int method) => $$"""
            public IReadOnlyList<string> Largest{{method}}(decimal atLeast) =>
                [.. from order in orders
                    where order.Total >= atLeast + {{method}}
                    group order by order.Customer into customer
                    orderby customer.Sum(order => order.Total) descending
                    select $"{customer.Key}: {customer.Count()} orders, {customer.Max(order => order.Placed):d}"];
        """;

    private static string Await(int method) => $$"""
            public async Task<Order_?> Find{{method}}Async(int id, Func<int, Task<bool>> isVisible)
            {
                if (!_byId.TryGetValue(id + {{method}}, out var order) || !await isVisible(order.Id))
                {
                    return null;
                }

                await Task.Yield();
                return order with { Customer = order.Customer.Trim() };
            }
        """;

    private static string Branch(int method) => $$"""
            public string Describe{{method}}(Order_ order)
            {
                var age = DateTimeOffset.UnixEpoch.AddDays({{method}}) - order.Placed;
                switch (order.Total)
                {
                    case < 10:
                        return $"{order.Customer} ordered a trifle {age.TotalDays:0} days ago";
                    case < 1000 when order.Customer.StartsWith('A'):
                        return string.Join(", ", orders.Take({{method + 1}}).Select(other => other.Id));
                    default:
                        foreach (var other in orders)
                        {
                            if (other.Customer == order.Customer && other.Id != order.Id)
                            {
                                return $"{order.Customer} ordered again: {other.Total + order.Total:0.00}";
                            }
                        }

                        return "one large order";
                }
            }
        """;
}
