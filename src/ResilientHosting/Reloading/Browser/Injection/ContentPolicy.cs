using Microsoft.Extensions.Primitives;

namespace ResilientHosting.Reloading;

/// <summary>What a page's Content-Security-Policy says to a script of the page's own origin that connects to that origin.</summary>
internal sealed class ContentPolicy
{
    private static readonly string[] ForScripts = ["script-src-elem", "script-src", "default-src"];
    private static readonly string[] ForConnections = ["connect-src", "default-src"];

    private readonly List<Dictionary<string, string[]>> _policies;
    private readonly string _scheme;
    private readonly string _host;

    /// <param name="headers">The policies. All of them hold.</param>
    /// <param name="scheme">The scheme of the page.</param>
    /// <param name="host">The host of the page, with its port.</param>
    public ContentPolicy(StringValues headers, string scheme, string host)
    {
        (_scheme, _host) = (scheme, host);
        _policies = [.. headers.SelectMany(header => (header ?? "").Split(',')).Select(Parse)];
        Nonce = _policies
            .SelectMany(policy => Sources(policy, ForScripts) ?? [])
            .Where(source => source.StartsWith("'nonce-", StringComparison.OrdinalIgnoreCase) && source.EndsWith('\''))
            .Select(source => source["'nonce-".Length..^1])
            .FirstOrDefault();
    }

    /// <summary>Gets what marks the page's own scripts, if anything does.</summary>
    public string? Nonce { get; }

    /// <returns>Null if such a script may run and connect; otherwise why not.</returns>
    public string? WhyForbidden()
    {
        foreach (var policy in _policies)
        {
            if (policy.TryGetValue("sandbox", out var allowed) && !(allowed.Contains("allow-scripts") && allowed.Contains("allow-same-origin")))
            {
                return "the page's Content-Security-Policy puts it into a sandbox";
            }

            if (Sources(policy, ForScripts) is { } scripts && !AllowsScript(scripts))
            {
                return "the page's Content-Security-Policy allows no script of its own origin (script-src)";
            }

            if (Sources(policy, ForConnections) is { } connections && !connections.Any(IsOwnOrigin))
            {
                return "the page's Content-Security-Policy allows no connection to its own origin (connect-src)";
            }
        }

        return null;
    }

    private bool AllowsScript(string[] sources) =>
        (Nonce is not null && sources.Contains($"'nonce-{Nonce}'"))
        || (!sources.Contains("'strict-dynamic'", StringComparer.OrdinalIgnoreCase) && sources.Any(IsOwnOrigin));

    private bool IsOwnOrigin(string source)
    {
        if (source is "*" || source.Equals("'self'", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (source.EndsWith(':'))
        {
            return source.Equals(_scheme + ":", StringComparison.OrdinalIgnoreCase) || source.Equals("http:", StringComparison.OrdinalIgnoreCase);
        }

        var host = source.StartsWith(_scheme + "://", StringComparison.OrdinalIgnoreCase) ? source[(_scheme.Length + "://".Length)..] : source;
        return host.TrimEnd('/').Equals(_host, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The first of these directives that the policy has; null if it has none, and so nothing against anything.</summary>
    private static string[]? Sources(Dictionary<string, string[]> policy, string[] directives) =>
        Array.Find(directives, policy.ContainsKey) is { } directive ? policy[directive] : null;

    private static Dictionary<string, string[]> Parse(string policy)
    {
        var directives = new Dictionary<string, string[]>(StringComparer.OrdinalIgnoreCase);
        foreach (var directive in policy.Split(';'))
        {
            if (directive.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [var name, .. var values])
            {
                // Of two alike, browsers take the first.
                directives.TryAdd(name, values);
            }
        }

        return directives;
    }
}
