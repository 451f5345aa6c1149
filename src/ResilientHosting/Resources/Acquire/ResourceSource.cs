namespace ResilientHosting.Resources;

/// <summary>An object on loan from a source. <paramref name="Ticket"/> is the source's own note of it.</summary>
internal readonly record struct Lease<T>(T Value, object? Ticket = null)
    where T : class;

/// <summary>
/// How an object is obtained and given back: the whole difference between the strategies. The scope guarantees that every lease it was
/// given ends in exactly one <see cref="ReturnAsync"/> or <see cref="Detach"/>.
/// </summary>
internal abstract class ResourceSource<T>
    where T : class
{
    /// <param name="context">The scope that asks.</param>
    /// <param name="cancellationToken">Cancelled when the creation times out or the scope ends; never by a caller.</param>
    public abstract ValueTask<Lease<T>> AcquireAsync(ResourceContext context, CancellationToken cancellationToken);

    public abstract ValueTask ReturnAsync(Lease<T> lease, TeardownContext context);

    /// <summary>The object now belongs to the user: it will not come back.</summary>
    public abstract void Detach(Lease<T> lease);
}
