using ResilientHosting.Aborts;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Says what an endpoint, or every endpoint of a group, does when its client leaves.</summary>
public static class ClientAbortEndpointConventionBuilderExtensions
{
    /// <summary>Cancels the work at once when the client leaves.</summary>
    /// <param name="builder">The endpoint or group.</param>
    /// <returns>The endpoint or group.</returns>
    public static TBuilder CancelOnClientAbort<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ClientAbortAttribute(ClientAbortPolicy.Cancel));

    /// <summary>
    /// Lets the work go on for a limited time after the client has left. The handler's token then fires that much later; the
    /// request body is read completely before the handler runs.
    /// </summary>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="within">The time from the client's leaving to the cancellation: above zero, at most one day.</param>
    /// <returns>The endpoint or group.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="within"/> is outside its range.</exception>
    public static TBuilder CompleteOnClientAbort<TBuilder>(this TBuilder builder, TimeSpan within)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ClientAbortAttribute(ClientAbortPolicy.CompleteWithin(within)));

    /// <summary>
    /// Lets the work go on after the client has left, until it ends, a request time-out expires or the host stops. The request
    /// body is read completely before the handler runs.
    /// </summary>
    /// <param name="builder">The endpoint or group.</param>
    /// <returns>The endpoint or group.</returns>
    public static TBuilder RunToCompletionOnClientAbort<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ClientAbortAttribute(ClientAbortPolicy.RunToCompletion));

    /// <summary>Gives the endpoint a policy that <see cref="ClientAbortOptions.AddPolicy"/> has named.</summary>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="policyName">The name, compared exactly. A request to an endpoint with an unknown name fails.</param>
    /// <returns>The endpoint or group.</returns>
    /// <exception cref="ArgumentException"><paramref name="policyName"/> is empty.</exception>
    public static TBuilder WithClientAbortPolicy<TBuilder>(this TBuilder builder, string policyName)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ClientAbortAttribute(policyName));

    /// <summary>Leaves the requests as ASP.NET Core handles them. Beats every policy.</summary>
    /// <param name="builder">The endpoint or group.</param>
    /// <returns>The endpoint or group.</returns>
    public static TBuilder DisableClientAbortTolerance<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new DisableClientAbortToleranceAttribute());
}
