using System.Diagnostics;

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
    /// <summary>
    /// Whether objects live longer than the scopes that borrow them. Such a source counts its objects and limits its waits by itself; to
    /// a scope, creating and tearing down mean no more than taking and giving back.
    /// </summary>
    public virtual bool OutlivesScopes => false;

    /// <summary>Whether a lease keeps the object from others, so that a long one is worth a word.</summary>
    public virtual bool IsExclusive => true;

    /// <summary>Takes an object that is at hand, without waiting and without running user code. Called under the stack's gate.</summary>
    public virtual bool TryAcquire(ResourceStack scope, out Lease<T> lease)
    {
        lease = default;
        return false;
    }

    /// <param name="context">The scope that asks.</param>
    /// <param name="cancellationToken">Cancelled when the creation times out or the scope ends; never by a caller.</param>
    public abstract ValueTask<Lease<T>> AcquireAsync(ResourceContext context, CancellationToken cancellationToken);

    public abstract ValueTask ReturnAsync(Lease<T> lease, TeardownContext context);

    /// <summary>The object now belongs to the user: it will not come back. Called under the stack's gate.</summary>
    /// <exception cref="InvalidOperationException">The object is not one user's to take.</exception>
    public abstract void Detach(Lease<T> lease);

    /// <summary>The stack of whoever acquired the lease, if the source has taken it down.</summary>
    public virtual StackTrace? GetAcquirer(Lease<T> lease) => null;
}
