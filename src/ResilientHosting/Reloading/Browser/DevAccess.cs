using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace ResilientHosting.Reloading;

/// <summary>
/// Who may ask the reloader, and who may steer it. It tells of source code and errors, so strangers get nothing: not from other
/// machines, and not through a page of somebody else that is open in the developer's own browser.
/// </summary>
internal sealed class DevAccess
{
    private static readonly string[] Forwarding = ["Forwarded", "X-Forwarded-For", "X-Real-IP"];

    /// <summary>Gets what a request that steers has to know. Pages of other origins can't read it.</summary>
    public string Token { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <returns>Null if the request may read; otherwise why not, and what to do about it.</returns>
    public static string? WhyMayNotRead(HttpContext context, DevReloaderOptions options)
    {
        if (!options.AllowRemoteAccess)
        {
            // A local socket file has no address.
            if (context.Connection.RemoteIpAddress is { } address && !IPAddress.IsLoopback(address))
            {
                return "The reloader answers this machine only. To let other machines ask, set DevReloaderOptions.AllowRemoteAccess.";
            }

            if (Forwarding.Any(context.Request.Headers.ContainsKey) && !ComesFromHere(context.Request.Headers))
            {
                return "The reloader answers this machine only, and a proxy says the request comes from elsewhere. To let other machines ask, set DevReloaderOptions.AllowRemoteAccess.";
            }
        }

        // Whoever owns a name can point it here, and then read as a page of that name. Nobody owns an address of ours.
        if (!IsOurs(context.Request.Host.Host, options))
        {
            return $"The reloader isn't asked as \"{Shorten(context.Request.Host.Host)}\". If the name is yours, add it to DevReloaderOptions.AllowedHosts.";
        }

        return IsOfAnotherOrigin(context.Request) ? "The reloader doesn't answer pages of other origins." : null;
    }

    /// <returns>Null if the request, which may read, may also steer.</returns>
    public string? WhyMayNotSteer(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (IsOfAnotherOrigin(context.Request))
        {
            return "Pages of other origins can't steer the reloader.";
        }

        if (headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin" or "none"))
        {
            return "Pages of other sites can't steer the reloader.";
        }

        var given = Encoding.UTF8.GetBytes(headers[DevReloaderHeaders.Token].ToString());
        return CryptographicOperations.FixedTimeEquals(given, Encoding.UTF8.GetBytes(Token))
            ? null
            : $"The header {DevReloaderHeaders.Token} must hold the \"token\" of GET {DevEndpoints.Path}/status.";
    }

    // The scheme may be that of a proxy in front, which speaks TLS for us.
    private static bool IsOfAnotherOrigin(HttpRequest request) =>
        request.Headers.Origin.ToString() is { Length: > 0 } origin && origin != $"http://{request.Host}" && origin != $"https://{request.Host}";

    private static bool ComesFromHere(IHeaderDictionary headers) =>
        !headers.ContainsKey("Forwarded")
        && Forwarding.SelectMany(name => headers.GetCommaSeparatedValues(name)).All(value => IPAddress.TryParse(value, out var address) && IPAddress.IsLoopback(address));

    private static bool IsOurs(string host, DevReloaderOptions options)
    {
        var name = host.Trim('[', ']');
        return name.Length == 0
            || name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || IPAddress.TryParse(name, out _)
            || options.AllowedHosts.Contains(name, StringComparer.OrdinalIgnoreCase);
    }

    private static string Shorten(string host) => host.Length <= 100 ? host : host[..100] + "…";
}
