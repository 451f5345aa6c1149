using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace ResilientHosting.Reloading;

/// <summary>The listeners and connections of one generation's server. It is idle once it was told to end and the last client has gone.</summary>
internal sealed class ServerConnections
{
    private readonly ConcurrentDictionary<ConnectionContext, byte> _open = new();
    private readonly ConcurrentDictionary<EndPoint, HandedListener> _listeners = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _retired;
    private volatile bool _ended;

    /// <summary>Gets a value indicating whether the server outlives its application: the port is not its to close any more.</summary>
    public bool IsRetired => _retired;

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

    public void Retire() => _retired = true;

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

    private void CheckIdle()
    {
        if (_ended && _open.IsEmpty)
        {
            _idle.TrySetResult();
        }
    }
}
