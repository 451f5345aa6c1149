using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Caching.Distributed;

namespace ResilientHosting.Aborts;

/// <summary>
/// Puts the adoption at the very end of the pipeline, in place of the endpoint's own handler: whoever gets there has passed
/// authentication, authorization and everything else, whether to run the work or to receive the result of another's.
/// </summary>
internal sealed class AdoptingEndpoints(Adoption adoption)
{
    // One for each endpoint and for as long as it: authorization and others remember what they know about an endpoint by its identity.
    private readonly ConditionalWeakTable<Endpoint, Endpoint> _endpoints = [];

    public static AdoptingEndpoints Create(IServiceProvider services, AbortSettings settings)
    {
        var (options, clock, logger) = (settings.Options.Adoption, settings.Clock, settings.Logger);

        // The cache of one process has nothing to tell to another.
        var shared = services.GetService<IDistributedCache>() is { } cache and not MemoryDistributedCache
            ? new SharedWork(new SharedStore(cache, options, clock, logger), options, clock, logger)
            : null;
        var recorder = new ResendRecorder(logger, new ResendMetrics(services.GetRequiredService<IMeterFactory>()));
        return new AdoptingEndpoints(new Adoption(new ResendRegistry(options, clock), shared, settings, recorder));
    }

    /// <summary>Gets the endpoint that takes the place of one which adopts.</summary>
    public Endpoint Wrap(Endpoint endpoint) => _endpoints.GetValue(endpoint, CreateWrapper);

    private Endpoint CreateWrapper(Endpoint endpoint)
    {
        if (endpoint.RequestDelegate is not { } handler)
        {
            return endpoint;
        }

        var keyOf = endpoint.Metadata.GetRequiredMetadata<AdoptOnResendAttribute>().Key;
        Task Handle(HttpContext context) => adoption.HandleAsync(context, handler, keyOf);
        return endpoint is RouteEndpoint route
            ? new RouteEndpoint(Handle, route.RoutePattern, route.Order, route.Metadata, route.DisplayName)
            : new Endpoint(Handle, endpoint.Metadata, endpoint.DisplayName);
    }
}
