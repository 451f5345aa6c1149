using System.Diagnostics.CodeAnalysis;

namespace ResilientHosting.Resources;

/// <summary>
/// One resource of the current scope (a request, or a scope opened with <c>CreateResourceScope</c>): created on first use,
/// the same object for everyone in the scope, torn down when the scope ends. Safe for concurrent use.
/// </summary>
/// <typeparam name="T">The type of the resource.</typeparam>
public interface IRequestResource<T>
    where T : class
{
    /// <summary>Whether the resource exists now: created, and not yet released, detached or torn down.</summary>
    bool IsCreated { get; }

    /// <summary>
    /// Returns the resource, creating it if the scope has none. Concurrent callers share one creation, and its exception if it fails;
    /// a failure is not remembered, so the next call tries again. The scope owns the object: do not dispose of it.
    /// </summary>
    /// <param name="cancellationToken">Ends this caller's wait only. The creation goes on for the others.</param>
    /// <exception cref="ResourceScopeClosedException">The scope has ended.</exception>
    /// <exception cref="ResourceCycleException">The resource is being created and waits for the caller.</exception>
    /// <exception cref="TimeoutException">The creation took longer than <see cref="RequestResourceOptions.CreateTimeout"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    ValueTask<T> GetAsync(CancellationToken cancellationToken = default);

    /// <summary>Returns the resource if it exists, without creating it.</summary>
    bool TryGet([NotNullWhen(true)] out T? resource);

    /// <summary>
    /// Tears the resource down now instead of at the end of the scope; does nothing if there is none. The next
    /// <see cref="GetAsync"/> creates a new one. An exception of the teardown is thrown to the caller.
    /// </summary>
    /// <param name="exception">
    /// Why the resource is given up, if the work with it failed: the teardown sees <see cref="ScopeOutcomeKind.Faulted"/>. Without one it
    /// sees <see cref="ScopeOutcomeKind.Succeeded"/>, so a unit of work commits.
    /// </param>
    /// <exception cref="TimeoutException">The teardown took longer than <see cref="RequestResourceOptions.TeardownTimeout"/>.</exception>
    ValueTask ReleaseAsync(Exception? exception = null);

    /// <summary>
    /// Takes the resource out of the scope. The caller owns it from here on and disposes of it; no teardown runs. The next
    /// <see cref="GetAsync"/> creates a new one.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is nothing to detach: see <see cref="IsCreated"/>.</exception>
    T Detach();
}
