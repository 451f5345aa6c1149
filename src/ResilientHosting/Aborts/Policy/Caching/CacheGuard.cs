using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Routing;

namespace ResilientHosting.Aborts;

/// <summary>
/// Puts <see cref="GuardedHandler"/> in the place of an endpoint's handler. Only there is it known that a cache is about to take the
/// response, and that this request produces it instead of waiting for another that does.
/// </summary>
internal sealed class CacheGuard
{
    // By endpoint, not by request. Weak, because endpoints come and go (dynamic routes, hot reload).
    private readonly ConditionalWeakTable<Endpoint, Endpoint> _guarded = [];

    public void Guard(HttpContext context)
    {
        if (context.GetEndpoint() is { RequestDelegate: not null } endpoint)
        {
            context.SetEndpoint(_guarded.GetValue(endpoint, Guarded));
        }
    }

    private static Endpoint Guarded(Endpoint endpoint)
    {
        var handler = new GuardedHandler(endpoint.RequestDelegate!);
        return endpoint switch
        {
            RouteEndpoint route => new RouteEndpoint(
                handler.InvokeAsync, route.RoutePattern, route.Order, route.Metadata, route.DisplayName),
            _ when endpoint.GetType() == typeof(Endpoint) => new Endpoint(handler.InvokeAsync, endpoint.Metadata, endpoint.DisplayName),

            // A type of somebody's own carries what a copy would lose.
            _ => endpoint,
        };
    }
}
