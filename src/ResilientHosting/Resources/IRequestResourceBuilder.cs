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
    /// request's exception and the client is told. Without this, and where the result is streamed, that happens after the response.
    /// </summary>
    /// <remarks>
    /// The handler is a minimal-API handler, a controller's action, a Razor page's handler or a hub's method, with its filters. Afterwards
    /// the scope is still open: who asks for the resource then gets a new one, which lives until the end of the request.
    /// </remarks>
    /// <returns>The builder.</returns>
    IRequestResourceBuilder<T> ReleaseAfterHandler();
}
