namespace Prices;

public static class PriceList
{
    public static string Title() => "library: v1";
}
