using ResilientHosting.Resources;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Says when an endpoint, or every endpoint of a group, gives its resources back.</summary>
public static class ResourceEndpointConventionBuilderExtensions
{
    /// <summary>
    /// Tears all resources of a request down between the handler's return and the writing of its result, as
    /// <see cref="IRequestResourceBuilder{T}.ReleaseAfterHandler"/> does for one resource everywhere. For answers that take long to send.
    /// </summary>
    /// <param name="builder">The endpoint or group.</param>
    /// <returns>The endpoint or group.</returns>
    public static TBuilder ReleaseResourcesAfterHandler<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(static endpoint =>
        {
            endpoint.Metadata.Add(new ReleaseResourcesAfterHandlerMetadata());

            // Controllers, Razor Pages and hubs have a filter of their own kind, which reads the metadata.
            HandlerReleaseFilter.AddTo(endpoint);
        });
        return builder;
    }
}
