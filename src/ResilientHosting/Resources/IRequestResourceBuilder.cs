namespace ResilientHosting.Resources;

/// <summary>
/// Configures one request-scoped resource. Without a strategy every scope gets an object of its own. At most one strategy may be chosen;
/// it changes nothing for those who use the resource.
/// </summary>
/// <typeparam name="T">The type of the resource.</typeparam>
/// <remarks>
/// An object that outlives requests (of a pool or shared) has a scope of its own: <see cref="ResourceContext.Services"/> and other
/// resources that its factory asks for live as long as the object, and its teardown runs when the object's life ends, not when a request
/// gives it back. It sees <see cref="ScopeOutcomeKind.HostStopping"/> if that is because the host stops, otherwise
/// <see cref="ScopeOutcomeKind.Abandoned"/>.
/// </remarks>
public interface IRequestResourceBuilder<T>
    where T : class
{
    /// <summary>The services the resource is registered in.</summary>
    IServiceCollection Services { get; }

    /// <summary>The key for <see cref="FromKeyedServicesAttribute"/>; <see langword="null"/> if the resource has none.</summary>
    string? Name { get; }

    /// <summary>
    /// Lends objects from a bounded pool: for what is dear to create and limited in number, such as connections. Look at it and operate it
    /// through <see cref="IResourcePool{T}"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The resource has a strategy already.</exception>
    IRequestResourceBuilder<T> UsePool(Action<ResourcePoolOptions<T>>? configure = null);

    /// <summary>
    /// Keeps objects for reuse in a <see cref="Microsoft.Extensions.ObjectPool.ObjectPool{T}"/>: for what is dear to create and not
    /// limited in number, such as buffers. One that implements <see cref="Microsoft.Extensions.ObjectPool.IResettable"/> is reset when it
    /// is given back, and not kept if it cannot be.
    /// </summary>
    /// <param name="maximumRetained">How many are kept; twice the number of processors if not given. At least 1.</param>
    /// <exception cref="InvalidOperationException">The resource has a strategy already.</exception>
    IRequestResourceBuilder<T> UseObjectPool(int? maximumRetained = null);

    /// <summary>
    /// Shares one object among all requests of the host: created when first asked for, torn down after the last request when the host
    /// stops, before its container. The object must bear concurrent use.
    /// </summary>
    /// <exception cref="InvalidOperationException">The resource has a strategy already.</exception>
    IRequestResourceBuilder<T> SharedPerHost();

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

    /// <summary>
    /// Takes the numbers, times and the order of <see cref="ResourcePoolOptions{T}"/> from a section of the configuration. What stands
    /// there wins over code; what does not keeps the value that code gave it. A change of the section applies to the running pool; one
    /// with errors is refused with a warning, and the pool keeps its settings. At the start errors stop the host, and so does a key that
    /// is no setting. The section need not exist, and may appear later.
    /// </summary>
    /// <param name="section">The path of the section, for example <c>Pools:Orders</c>.</param>
    /// <exception cref="InvalidOperationException">
    /// The pool is bound to another section. Thrown at the start if the resource has no pool.
    /// </exception>
    IRequestResourceBuilder<T> BindConfiguration(string section);

    /// <summary>
    /// Measures the pool also under the names that OpenTelemetry gives the metrics of a database client: the nine instruments
    /// <c>db.client.connection.*</c>.
    /// </summary>
    /// <param name="system">What <c>db.system.name</c> calls the database, for example <c>postgresql</c> or <c>sqlite</c>.</param>
    IRequestResourceBuilder<T> EmitDbClientMetrics(string system);

    /// <summary>
    /// Adds a health check named <c>resource:</c> and the resource. It gets the resource and gives it back. A pool is asked for an object
    /// only if it has none yet or its last creation failed; it is unhealthy if it cannot get one, and degraded if all are in use and
    /// somebody waits.
    /// </summary>
    IRequestResourceBuilder<T> AddHealthCheck();

    /// <summary>How long the factory may take, in place of <see cref="RequestResourceOptions.CreateTimeout"/>.</summary>
    /// <param name="timeout">More than zero, at most one day.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is out of range.</exception>
    IRequestResourceBuilder<T> WithCreateTimeout(TimeSpan timeout);

    /// <summary>How long the teardown may take, in place of <see cref="RequestResourceOptions.TeardownTimeout"/>.</summary>
    /// <param name="timeout">More than zero, at most <see cref="RequestResourceOptions.ScopeTeardownBudget"/>; checked when the host starts.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is out of range.</exception>
    IRequestResourceBuilder<T> WithTeardownTimeout(TimeSpan timeout);

    /// <summary>
    /// Lets a request end without waiting for this teardown: it goes on in the background, and older resources of the request follow behind
    /// it, so that the order stays. For teardowns that take time, since the client's next request on the same connection waits for
    /// them. The host waits for those in the background before it stops.
    /// </summary>
    /// <remarks>
    /// The request is over then. <see cref="TeardownContext.Services"/> hands out resources of the request that are still alive, but all
    /// else is from a service scope opened for the teardown: an object that uses scoped services of the request in its teardown
    /// must not be detached. Where <see cref="RequestResourceOptions.MaxDetachedTeardowns"/> requests do this already, while the host stops,
    /// and in scopes without a request, the teardown is waited for. So it is after the handler, with <see cref="ReleaseAfterHandler"/>.
    /// </remarks>
    IRequestResourceBuilder<T> DetachTeardown();
}
