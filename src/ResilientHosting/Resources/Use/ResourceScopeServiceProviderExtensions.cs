using ResilientHosting.Resources;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Opens resource scopes outside requests: in background services, timers, message handlers and tests.</summary>
public static class ResourceScopeServiceProviderExtensions
{
    /// <summary>
    /// Opens a scope with resources of its own. Dispose of it to tear them down, and call <see cref="ResourceScope.Complete"/> before if
    /// the work succeeded. <c>RunInResourceScopeAsync</c> does both by itself.
    /// </summary>
    /// <param name="services">Any services of the host.</param>
    /// <param name="name">What logs and exceptions call the scope.</param>
    /// <exception cref="InvalidOperationException">No request-scoped resource is registered.</exception>
    public static ResourceScope CreateResourceScope(this IServiceProvider services, string name)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return new ResourceScope(services, name);
    }

    /// <summary>
    /// Runs work in a resource scope of its own. Afterwards the resources are torn down and told how the work ended: succeeded, faulted
    /// with its exception, aborted if <paramref name="cancellationToken"/> ended it, or cut off by the host's stop.
    /// </summary>
    /// <param name="services">Any services of the host.</param>
    /// <param name="name">What logs and exceptions call the scope.</param>
    /// <param name="body">The work.</param>
    /// <param name="cancellationToken">Given to the work. It does not end the teardown.</param>
    /// <exception cref="InvalidOperationException">No request-scoped resource is registered.</exception>
    public static Task RunInResourceScopeAsync(
        this IServiceProvider services,
        string name,
        Func<ResourceScope, CancellationToken, Task> body,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        return services.RunInResourceScopeAsync(
            name,
            async (scope, token) =>
            {
                await body(scope, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken);
    }

    /// <inheritdoc cref="RunInResourceScopeAsync(IServiceProvider, string, Func{ResourceScope, CancellationToken, Task}, CancellationToken)"/>
    /// <returns>What the work returned.</returns>
    public static async Task<TResult> RunInResourceScopeAsync<TResult>(
        this IServiceProvider services,
        string name,
        Func<ResourceScope, CancellationToken, Task<TResult>> body,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        var scope = services.CreateResourceScope(name);
        await using (scope.ConfigureAwait(false))
        {
            try
            {
                var result = await body(scope, cancellationToken).ConfigureAwait(false);
                scope.Complete();
                return result;
            }
            catch (Exception exception)
            {
                scope.Fail(exception, cancellationToken);
                throw;
            }
        }
    }
}
