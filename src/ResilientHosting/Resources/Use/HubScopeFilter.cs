using Microsoft.AspNetCore.SignalR;

namespace ResilientHosting.Resources;

/// <summary>
/// Tells the scope of a hub's method how it has gone. SignalR opens a service scope for each call, sends the result, then disposes of the
/// scope: the resources go with it, and the method's return is the second release point.
/// </summary>
internal sealed class HubScopeFilter(ResourceEnvironment environment) : IHubFilter
{
    public ValueTask<object?> InvokeMethodAsync(
        HubInvocationContext invocation, Func<HubInvocationContext, ValueTask<object?>> next) =>
        RunAsync(
            invocation.ServiceProvider,
            $"hub {invocation.Hub.GetType().Name}.{invocation.HubMethodName}",
            invocation.Context,
            () => next(invocation),
            invocation.Context.ConnectionAborted);

    public async Task OnConnectedAsync(HubLifetimeContext lifetime, Func<HubLifetimeContext, Task> next) =>
        await RunAsync(
            lifetime.ServiceProvider,
            $"hub {lifetime.Hub.GetType().Name}.{nameof(Hub.OnConnectedAsync)}",
            lifetime.Context,
            () => WithoutResultAsync(next(lifetime)),
            lifetime.Context.ConnectionAborted).ConfigureAwait(false);

    /// <summary>Here the connection's end is no abort: it is what the work is about.</summary>
    public async Task OnDisconnectedAsync(
        HubLifetimeContext lifetime, Exception? exception, Func<HubLifetimeContext, Exception?, Task> next) =>
        await RunAsync(
            lifetime.ServiceProvider,
            $"hub {lifetime.Hub.GetType().Name}.{nameof(Hub.OnDisconnectedAsync)}",
            lifetime.Context,
            () => WithoutResultAsync(next(lifetime, exception)),
            CancellationToken.None).ConfigureAwait(false);

    private static async ValueTask<object?> WithoutResultAsync(Task work)
    {
        await work.ConfigureAwait(false);
        return null;
    }

    private async ValueTask<object?> RunAsync(
        IServiceProvider services,
        string name,
        HubCallerContext connection,
        Func<ValueTask<object?>> work,
        CancellationToken aborted)
    {
        var scope = services.GetRequiredService<ResourceStack>();
        scope.OpenDetached(name, parent: null);
        var endpoint = connection.GetHttpContext()?.GetEndpoint();
        try
        {
            var result = await work().ConfigureAwait(false);
            var outcome = OutcomeOf(exception: null, aborted);
            await scope.OnHandlerReturnedAsync(result, endpoint, outcome).ConfigureAwait(false);

            // A stream has only begun. Nobody here sees its end, so nobody says that it succeeded.
            if (!HandlerResult.IsStreamed(result))
            {
                scope.Settle(outcome);
            }

            return result;
        }
        catch (Exception exception)
        {
            var outcome = OutcomeOf(exception, aborted);
            scope.Settle(outcome);
            await scope.OnHandlerFailedAsync(exception, endpoint, outcome).ConfigureAwait(false);
            throw;
        }
    }

    private ScopeOutcome OutcomeOf(Exception? exception, CancellationToken aborted)
    {
        var kind = aborted.IsCancellationRequested
            ? environment.IsHostStopping ? ScopeOutcomeKind.HostStopping : ScopeOutcomeKind.Aborted
            : exception is null ? ScopeOutcomeKind.Succeeded : ScopeOutcomeKind.Faulted;
        return new ScopeOutcome(kind, exception);
    }

    /// <summary>Where there is no SignalR, nobody asks for its options and none of this exists.</summary>
    public sealed class Setup(ResourceEnvironment environment) : IConfigureOptions<HubOptions>
    {
        public void Configure(HubOptions options) => options.AddFilter(new HubScopeFilter(environment));
    }
}
