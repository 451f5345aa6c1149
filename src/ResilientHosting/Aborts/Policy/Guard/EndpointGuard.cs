using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Routing;

namespace ResilientHosting.Aborts;

/// <summary>
/// Puts a <see cref="GuardedHandler"/> in the place of an endpoint's handler. Only there is it known that a cache is about to take
/// the response, and that this request produces it instead of waiting for another that does.
/// </summary>
internal sealed class EndpointGuard
{
    // By endpoint, not by request. Weak, because endpoints come and go (dynamic routes, hot reload).
    private readonly ConditionalWeakTable<Endpoint, Endpoint> _guarded = [];

    public void Apply(HttpContext context)
    {
        if (context.GetEndpoint() is { RequestDelegate: not null } endpoint)
        {
            context.SetEndpoint(_guarded.GetValue(endpoint, Guard));
        }
    }

    /// <summary>Restores the endpoint, unless somebody has replaced it meanwhile (for an error page, say).</summary>
    public static void Remove(HttpContext context)
    {
        if (context.GetEndpoint()?.RequestDelegate?.Target is GuardedHandler guarded)
        {
            context.SetEndpoint(guarded.Endpoint);
        }
    }

    private static Endpoint Guard(Endpoint endpoint)
    {
        RequestDelegate handler = new GuardedHandler(endpoint).InvokeAsync;
        return endpoint switch
        {
            RouteEndpoint route => new RouteEndpoint(handler, route.RoutePattern, route.Order, route.Metadata, route.DisplayName),
            _ when endpoint.GetType() == typeof(Endpoint) => new Endpoint(handler, endpoint.Metadata, endpoint.DisplayName),

            // A type of somebody's own carries what a copy would lose.
            _ => endpoint,
        };
    }
}
