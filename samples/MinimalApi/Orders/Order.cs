namespace MinimalApi.Orders;

/// <summary>An order as it is stored and shown.</summary>
internal sealed record Order(
    Guid Id, string Customer, string Item, int Quantity, decimal UnitPrice, DateTimeOffset CreatedAt, DateTimeOffset? PaidAt)
{
    public decimal Total => Quantity * UnitPrice;
}

/// <summary>What a client sends to place an order; nothing in it can be trusted yet.</summary>
internal sealed record NewOrder(string? Customer, string? Item, int Quantity, decimal UnitPrice)
{
    private const int MaxText = 80;
    private const int MaxQuantity = 1_000;
    private const decimal MaxUnitPrice = 100_000;

    /// <summary>Everything that is wrong, by field; empty when the order can be placed.</summary>
    public Dictionary<string, string[]> Validate()
    {
        var errors = new Dictionary<string, string[]>();
        CheckText("customer", Customer);
        CheckText("item", Item);

        if (Quantity is < 1 or > MaxQuantity)
        {
            errors["quantity"] = [$"Order between 1 and {MaxQuantity} pieces; {Quantity} is out of range."];
        }

        if (UnitPrice is <= 0 or > MaxUnitPrice || decimal.Round(UnitPrice, 2) != UnitPrice)
        {
            errors["unitPrice"] = [$"Give a price between 0.01 and {MaxUnitPrice:0} with at most two decimals; {UnitPrice} is none."];
        }

        return errors;

        void CheckText(string field, string? text)
        {
            if (string.IsNullOrWhiteSpace(text))
            {
                errors[field] = [$"Say the {field}; it was empty."];
            }
            else if (text.Trim().Length > MaxText || text.Any(char.IsControl))
            {
                errors[field] = [$"Use at most {MaxText} printable characters for the {field}."];
            }
        }
    }
}
