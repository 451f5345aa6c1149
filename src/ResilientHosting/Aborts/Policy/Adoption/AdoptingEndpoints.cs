using System.Diagnostics.Metrics;
using Microsoft.Extensions.Caching.Distributed;

namespace ResilientHosting.Aborts;

/// <summary>
/// Puts the adoption at the very end of the pipeline, in place of the endpoint's own handler: whoever gets there has passed
/// authentication, authorization and everything else, whether to run the work or to receive the result of another's.
/// </summary>
internal sealed class AdoptingEndpoints(Adoption adoption)
{
    private readonly EndpointReplacement _endpoints = new((endpoint, handler) =>
    {
        var keyOf = endpoint.Metadata.GetRequiredMetadata<AdoptOnResendAttribute>().Key;
        return context => adoption.HandleAsync(context, handler, keyOf);
    });

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
    public Endpoint Wrap(Endpoint endpoint) => _endpoints.Of(endpoint);
}
