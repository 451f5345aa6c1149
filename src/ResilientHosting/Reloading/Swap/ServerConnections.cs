using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace ResilientHosting.Reloading;

/// <summary>The listeners and connections of one generation's server. It is idle once it was told to end and the last client has gone.</summary>
/// <param name="generation">The generation, if the server is more than a part of one.</param>
internal sealed class ServerConnections(Generation? generation = null)
{
    private readonly ConcurrentDictionary<ConnectionContext, byte> _open = new();
    private readonly ConcurrentDictionary<EndPoint, HandedListener> _listeners = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _serving;
    private volatile bool _ended;

    /// <summary>
    /// Gets a value indicating whether the server's ports are not its to close: it has not started as a whole, or it outlives its
    /// application.
    /// </summary>
    public bool IsRetired => !_serving;

    /// <summary>Gets a value indicating whether the server would accept a connection.</summary>
    public bool IsAccepting => !_listeners.IsEmpty && _listeners.Values.All(listener => !listener.HasEnded);

    /// <summary>Gets a task that completes when an ended server has no connection left.</summary>
    public Task Idle => _idle.Task;

    public HandedListener? ListenerFor(EndPoint endpoint) => _listeners.GetValueOrDefault(endpoint);

    public void Add(HandedListener listener) => _listeners[listener.EndPoint] = listener;

    public void Add(ConnectionContext connection)
    {
        _open.TryAdd(connection, 0);
        connection.ConnectionClosed.UnsafeRegister(
            static state =>
            {
                var (connections, connection) = ((ServerConnections, ConnectionContext))state!;
                connections._open.TryRemove(connection, out _);
                connections.CheckIdle();
            },
            (this, connection));
    }

    public void Serve() => _serving = true;

    public void Retire() => _serving = false;

    /// <inheritdoc cref="Generation.ThrowIfGivenUp"/>
    public void ThrowIfGivenUp() => generation?.ThrowIfGivenUp();

    /// <summary>No connection will come any more: another server has taken over.</summary>
    public void End()
    {
        foreach (var listener in _listeners.Values)
        {
            listener.End();
        }

        _ended = true;
        CheckIdle();
    }

    /// <inheritdoc cref="Generation.SetServerEnded"/>
    public void SetServerEnded() => generation?.SetServerEnded();

    private void CheckIdle()
    {
        if (_ended && _open.IsEmpty)
        {
            _idle.TrySetResult();
        }
    }
}
