using Microsoft.AspNetCore.SignalR;

namespace ResilientHosting.Aborts;

/// <summary>
/// Ends quietly what a hub was doing for a connection that has ended. SignalR reports every exception of a hub's method as an
/// error, the cancellation it has asked for itself included.
/// </summary>
internal sealed class HubAbortFilter(ClientAbortOptions options, TimeProvider clock, ILogger logger) : IHubFilter
{
    public ValueTask<object?> InvokeMethodAsync(
        HubInvocationContext invocation, Func<HubInvocationContext, ValueTask<object?>> next) =>
        RunAsync(invocation.Context, invocation.Hub, invocation.HubMethodName, () => next(invocation));

    public async Task OnConnectedAsync(HubLifetimeContext lifetime, Func<HubLifetimeContext, Task> next) =>
        await RunAsync(
            lifetime.Context, lifetime.Hub, nameof(Hub.OnConnectedAsync), () => WithoutResultAsync(next(lifetime))).ConfigureAwait(false);

    public async Task OnDisconnectedAsync(
        HubLifetimeContext lifetime, Exception? exception, Func<HubLifetimeContext, Exception?, Task> next) =>
        await RunAsync(
            lifetime.Context,
            lifetime.Hub,
            nameof(Hub.OnDisconnectedAsync),
            () => WithoutResultAsync(next(lifetime, exception))).ConfigureAwait(false);

    private static async ValueTask<object?> WithoutResultAsync(Task work)
    {
        await work.ConfigureAwait(false);
        return null;
    }

    private async ValueTask<object?> RunAsync(HubCallerContext connection, Hub hub, string method, Func<ValueTask<object?>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (Exception exception) when (IsCausedByEnd(exception, connection.ConnectionAborted))
        {
            // There is nobody left to receive a result.
            ClientAbortLog.HubMethodCancelled(logger, hub.GetType().Name, method);
            return null;
        }
    }

    private bool IsCausedByEnd(Exception exception, CancellationToken ended)
    {
        var now = clock.GetUtcNow();
        return AbortClassifier.IsCausedByAbort(exception, new AbortFacts
        {
            BodyFailures = [],
            WorkToken = ended,
            AbortToken = ended,
            CancelledAt = ended.IsCancellationRequested ? now : null,
            ThrownAt = now,
            IsRecognizedCancellation = options.IsRecognizedCancellation,
        });
    }

    /// <summary>Where there is no SignalR, nobody asks for its options and none of this exists.</summary>
    public sealed class Setup(IOptions<ClientAbortOptions> options, ILoggerFactory loggers, IServiceProvider services)
        : IConfigureOptions<HubOptions>
    {
        public void Configure(HubOptions hubs) => hubs.AddFilter(new HubAbortFilter(
            options.Value,
            services.GetService<TimeProvider>() ?? TimeProvider.System,
            loggers.CreateLogger(typeof(HubAbortFilter).Namespace!)));
    }
}
