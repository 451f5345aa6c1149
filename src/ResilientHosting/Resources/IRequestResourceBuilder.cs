namespace ResilientHosting.Resources;

/// <summary>Configures one request-scoped resource.</summary>
/// <typeparam name="T">The type of the resource.</typeparam>
public interface IRequestResourceBuilder<T>
    where T : class
{
    /// <summary>The services the resource is registered in.</summary>
    IServiceCollection Services { get; }

    /// <summary>The key for <see cref="FromKeyedServicesAttribute"/>; <see langword="null"/> if the resource has none.</summary>
    string? Name { get; }

    /// <summary>
    /// Tears the resource down between the handler's return and the writing of its result, so that a teardown that fails becomes the
    /// request's exception and the client is told. Without this call that happens after the response.
    /// </summary>
    /// <remarks>
    /// <para>
    /// The handler is a minimal-API handler, a controller's action, a Razor page's handler or a hub's method, with all filters. Where there
    /// is none, as in middleware and in endpoints that are a <see cref="RequestDelegate"/>, the resource ends after the response. The scope
    /// stays open: who asks for the resource after the handler gets a new one, which lives until the end of the request.
    /// </para>
    /// <para>
    /// A streamed result (<see cref="IAsyncEnumerable{T}"/>, <see cref="IQueryable"/>, files, streams, server-sent events), or a response
    /// that the handler has started itself, may still need the resource. In Development that is an
    /// <see cref="InvalidOperationException"/> which says what to do; elsewhere the resource is kept until the response has ended.
    /// </para>
    /// </remarks>
    /// <returns>The builder.</returns>
    IRequestResourceBuilder<T> ReleaseAfterHandler();
}
