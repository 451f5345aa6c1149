namespace ScaleOut.Orders;

internal sealed record Order(
    Guid Id, Guid Reference, string Item, int Quantity, decimal UnitPrice, DateTimeOffset CreatedAt, string Replica);

/// <summary>What a client sends to place an order. <paramref name="Reference"/> is its own name for it.</summary>
internal sealed record NewOrder(Guid Reference, string? Item, int Quantity, decimal UnitPrice)
{
    /// <summary>Everything that is wrong, by field; empty when the order can be placed.</summary>
    public Dictionary<string, string[]> Validate()
    {
        var errors = new Dictionary<string, string[]>();
        if (Reference == Guid.Empty)
        {
            errors["reference"] = ["Give the order a reference of your own, a UUID; there was none."];
        }

        if (string.IsNullOrWhiteSpace(Item) || Item.Length > 80 || Item.Any(char.IsControl))
        {
            errors["item"] = ["Say the item in at most 80 printable characters."];
        }

        if (Quantity is < 1 or > 1_000)
        {
            errors["quantity"] = [$"Order between 1 and 1000 pieces; {Quantity} is out of range."];
        }

        if (UnitPrice is <= 0 or > 100_000 || decimal.Round(UnitPrice, 2) != UnitPrice)
        {
            errors["unitPrice"] = [$"Give a price between 0.01 and 100000 with at most two decimals; {UnitPrice} is none."];
        }

        return errors;
    }
}

internal sealed record ItemSales(string Item, long Orders, decimal Total);
