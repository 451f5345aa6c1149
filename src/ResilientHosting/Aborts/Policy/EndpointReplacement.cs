using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Routing;

namespace ResilientHosting.Aborts;

/// <summary>
/// Copies of endpoints with another handler, to be put in their place for a request: what runs there comes after everything else in
/// the pipeline. Everything else about a copy is the original's.
/// </summary>
internal sealed class EndpointReplacement(Func<Endpoint, RequestDelegate, RequestDelegate> handlerFor)
{
    // One for each endpoint, because authorization and others remember what they know about an endpoint by its identity; and only for
    // as long as it, because endpoints come and go (dynamic routes, hot reload).
    private readonly ConditionalWeakTable<Endpoint, Endpoint> _copies = [];

    // Looked up first, because the delegate for the creation would be an object for each request.
    public Endpoint Of(Endpoint endpoint) => _copies.TryGetValue(endpoint, out var copy) ? copy : _copies.GetValue(endpoint, Copy);

    private Endpoint Copy(Endpoint endpoint) => endpoint switch
    {
        RouteEndpoint { RequestDelegate: { } handler } route =>
            new RouteEndpoint(handlerFor(route, handler), route.RoutePattern, route.Order, route.Metadata, route.DisplayName),
        { RequestDelegate: { } handler } when endpoint.GetType() == typeof(Endpoint) =>
            new Endpoint(handlerFor(endpoint, handler), endpoint.Metadata, endpoint.DisplayName),

        // A type of somebody's own carries what a copy would lose.
        _ => endpoint,
    };
}
