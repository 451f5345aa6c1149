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

    /// <summary>
    /// Takes over an object; its <see cref="OwnedObject.ReturnAsync"/> runs when the host stops. One that is owned already becomes the
    /// newest. False if the host has stopped.
    /// </summary>
    public bool TryOwn(OwnedObject owned)
    {
        lock (_stack.Gate)
        {
            if (_stack.IsClosed)
            {
                return false;
            }

            _stack.Renew(owned);
            return true;
        }
    }

    /// <summary>Lets the host's end wait, within its budget, for an object being made from what it owns.</summary>
    public void EnterCreation()
    {
        lock (_stack.Gate)
        {
            _stack.EnterRelease();
        }
    }

    public void LeaveCreation()
    {
        lock (_stack.Gate)
        {
            _stack.LeaveRelease();
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

    /// <summary>For a host that is disposed of without having been stopped: there is no time for anybody to end by himself.</summary>
    public async ValueTask DisposeAsync()
    {
        await _environment.LiveScopes.CloseAsync(_environment).ConfigureAwait(false);
        await CloseAsync().ConfigureAwait(false);
    }

    public void Dispose() => _ = DisposeAsync().AsTask();

    private Task CloseAsync() => _stack.CloseAsync(new ScopeOutcome(ScopeOutcomeKind.HostStopping));
}
