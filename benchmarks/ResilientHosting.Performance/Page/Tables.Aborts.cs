namespace ResilientHosting.Performance;

internal static partial class Tables
{
    private static readonly Dictionary<string, string> AbortPaths = new()
    {
        ["/raw"] = "upload",
        ["/json"] = "JSON bound by minimal API",
        ["/mvc"] = "MVC `[FromBody]`",
        ["/form"] = "form",
        ["/compute"] = "compute",
        ["/provider"] = "a provider's own cancellation error",
        ["/aggregate"] = "the same in an `AggregateException`",
        ["/stream"] = "stream",
    };

    private static readonly Dictionary<string, string> Protocols = new()
    {
        ["Http1"] = "HTTP/1.1",
        ["Http1OverTls"] = "TLS",
        ["Http2"] = "HTTP/2",
    };

    private static readonly Dictionary<string, string> Applications = new()
    {
        ["plain"] = "plain ASP.NET Core",
        ["plain + handler"] = "plain, with `UseExceptionHandler`",
        ["ours"] = "ResilientHosting",
        ["ours + handler"] = "ResilientHosting, with `UseExceptionHandler`",
    };

    /// <summary>Lines of the plain application, without and with an exception handler. Ours are in the aims: they are to be none.</summary>
    private static string Aborts(Archive archive) => Pivot.ToMarkdown(
        [.. archive.Rows("aborts").Where(row => row["application"].StartsWith("plain", StringComparison.Ordinal))],
        "path", row => AbortPaths[row["path"]], row => $"{Protocols[row["protocol"]]}, {Departure(row["leaves by"])}",
        rows => string.Join(" / ", rows.Select(row => row["lines at Warning or above"])));

    private static string Departure(string departure) => departure == "StreamReset" ? "stream reset" : departure.ToUpperInvariant();
}
