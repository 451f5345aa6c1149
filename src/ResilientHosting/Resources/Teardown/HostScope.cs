using Microsoft.Extensions.Hosting;

namespace ResilientHosting.Resources;

/// <summary>
/// What belongs to the host rather than to one request: pools and shared objects, in the order in which they came to life. When the host
/// has stopped, open scopes end first, then these are closed, newest first, and only then does the container go.
/// </summary>
internal sealed class HostScope : IHostedLifecycleService, IAsyncDisposable, IDisposable
{
    private readonly ResourceEnvironment _environment;
    private readonly ResourceStack _stack;

    public HostScope(IServiceProvider services, ResourceEnvironment environment)
    {
        _environment = environment;
        _stack = new ResourceStack(services, environment);
        _stack.OpenForHost();
    }

    /// <exception cref="ResourceScopeClosedException">The host has stopped.</exception>
    public void ThrowIfClosed(string resource) => _stack.ThrowIfClosed(resource);

    public ResourceScopeClosedException ClosedException(string resource) => _stack.ClosedException(resource);

    /// <summary>Takes over an object; its <see cref="OwnedObject.ReturnAsync"/> runs when the host stops. False if it has stopped.</summary>
    public bool TryOwn(OwnedObject owned)
    {
        lock (_stack.Gate)
        {
            if (_stack.IsClosed)
            {
                return false;
            }

            _stack.Push(owned);
            return true;
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The server and all background services have stopped. Whoever ignored that still uses what it borrowed.</summary>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await _environment.LiveScopes.DrainAsync(_environment).ConfigureAwait(false);
        await CloseAsync().ConfigureAwait(false);
    }

    /// <summary>For a host that is disposed of without having been stopped.</summary>
    public ValueTask DisposeAsync() => new(CloseAsync());

    public void Dispose() => _ = CloseAsync();

    private Task CloseAsync() => _stack.CloseAsync(new ScopeOutcome(ScopeOutcomeKind.HostStopping));
}
