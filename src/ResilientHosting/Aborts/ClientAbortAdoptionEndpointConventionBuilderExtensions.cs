using ResilientHosting.Aborts;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Lets requests that are stopped and sent again adopt the work that is already running.</summary>
public static class ClientAbortAdoptionEndpointConventionBuilderExtensions
{
    /// <summary>
    /// A request that its client stops and sends again, with the same key, receives the result of the work that is already running,
    /// instead of running it twice. An endpoint that names no policy of its own runs to completion where the default is to cancel.
    /// </summary>
    /// <remarks>
    /// A key belongs to a method, host, path, query and user; the same key with other bytes in its body is answered with 422. Of several
    /// requests that wait for the same work the latest gets the result, the others 409. Where a real
    /// <c>IDistributedCache</c> is registered, this also holds across machines, except for two <i>first</i> requests at the same
    /// instant on two machines: a cache has no compare-and-set, so both may run. What must never happen twice needs a unique key
    /// in the database as well.
    /// </remarks>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="key">
    /// Tells the key of a request, for example from its route and body; <see langword="null"/> or an empty string for a request
    /// that has none. It is asked after authentication and authorization. Without it, the key is in the header that
    /// <see cref="AdoptionOptions.HeaderName"/> names.
    /// </param>
    /// <returns>The endpoint or group.</returns>
    public static TBuilder AdoptOnResend<TBuilder>(this TBuilder builder, Func<HttpContext, string?>? key = null)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new AdoptOnResendAttribute(key));
}
