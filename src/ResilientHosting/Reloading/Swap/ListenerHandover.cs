using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace ResilientHosting.Reloading;

/// <summary>
/// Owns the listening sockets for the life of the process and hands accepted connections to the server of the current generation.
/// A generation never holds the socket itself: on Linux a shared or duplicated listening handle leaves the next owner deaf.
/// </summary>
#pragma warning disable CA1001 // It lives as long as the process does.
internal sealed class ListenerHandover
#pragma warning restore CA1001
{
    private readonly SemaphoreSlim _binding = new(1, 1);
    private readonly List<SharedListener> _listeners = [];

    /// <summary>
    /// Gives a server its listener for an endpoint: opened now, or taken over from the generation before. Connections come once the
    /// server serves; one that can't bind its next endpoint would take them down with it.
    /// </summary>
    public async ValueTask<IConnectionListener> BindAsync(
        EndPoint endpoint, ServerConnections server, IConnectionListenerFactory transport, CancellationToken cancellationToken)
    {
        await _binding.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Asked in turn with other bindings: a server that was given up takes nothing from the one that was started in its place.
            server.ThrowIfGivenUp();

            // The n-th binding of an endpoint by one generation is the n-th of the next: two times port 0 are two ports, twice.
            var shared = Snapshot().FirstOrDefault(listener => listener.Requested.Equals(endpoint) && !listener.IsClaimedBy(server));
            if (shared is null)
            {
                shared = new SharedListener(endpoint, await transport.BindAsync(endpoint, cancellationToken).ConfigureAwait(false), _listeners);
                lock (_listeners)
                {
                    _listeners.Add(shared);
                }
            }

            return shared.Claim(server);
        }
        finally
        {
            _binding.Release();
        }
    }

    /// <summary>The server has bound all its endpoints: connections are its own from now on, those that wait first.</summary>
    public async Task ServeAsync(ServerConnections server, CancellationToken cancellationToken)
    {
        await _binding.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            server.ThrowIfGivenUp();
            server.Serve();
            Resume(server);
        }
        finally
        {
            _binding.Release();
        }
    }

    /// <summary>Connections that arrive from now on wait for the next server.</summary>
    public void Pause(ServerConnections server) => ForEach(listener => listener.Detach(server));

    /// <summary>The server gets connections again: there is no other.</summary>
    public void Resume(ServerConnections server) => ForEach(listener => listener.Attach(server));

    /// <summary>Closes the sockets that the current generation no longer asks for.</summary>
    public Task ReleaseUnclaimedAsync() => CloseAsync(listener => !listener.IsClaimed);

    /// <summary>Closes all sockets.</summary>
    public Task CloseAsync() => CloseAsync(static _ => true);

    private async Task CloseAsync(Func<SharedListener, bool> which)
    {
        foreach (var listener in Snapshot().Where(which))
        {
            await listener.CloseAsync(default).ConfigureAwait(false);
        }
    }

    private void ForEach(Action<SharedListener> action)
    {
        foreach (var listener in Snapshot())
        {
            action(listener);
        }
    }

    private SharedListener[] Snapshot()
    {
        lock (_listeners)
        {
            return [.. _listeners];
        }
    }

    private sealed class SharedListener
    {
        private readonly Lock _lock = new();
        private readonly Queue<ConnectionContext> _waiting = new();
        private readonly IConnectionListener _socket;
        private readonly List<SharedListener> _all;
        private ServerConnections? _claimant;
        private HandedListener? _current;
        private bool _closed;

        public SharedListener(EndPoint requested, IConnectionListener socket, List<SharedListener> all)
        {
            Requested = requested;
            _socket = socket;
            _all = all;

            // The loop outlives the generation that happened to start it, so it must not carry its context along.
            using (ExecutionContext.SuppressFlow())
            {
                _ = AcceptAsync();
            }
        }

        public EndPoint Requested { get; }

        public bool IsClaimed
        {
            get
            {
                lock (_lock)
                {
                    return _claimant is not null;
                }
            }
        }

        public bool IsClaimedBy(ServerConnections server)
        {
            lock (_lock)
            {
                return _claimant == server;
            }
        }

        public HandedListener Claim(ServerConnections server)
        {
            lock (_lock)
            {
                _claimant = server;
                return new HandedListener(_socket, server, CloseAsync);
            }
        }

        public void Attach(ServerConnections server)
        {
            if (server.ListenerFor(_socket.EndPoint) is { } listener)
            {
                Attach(listener);
            }
        }

        public void Detach(ServerConnections server)
        {
            lock (_lock)
            {
                if (_claimant == server)
                {
                    _claimant = null;
                }

                if (_current is { } current && current.Server == server)
                {
                    _current = null;
                    current.TakeBackUnread(_waiting);
                }
            }
        }

        public async ValueTask CloseAsync(CancellationToken cancellationToken)
        {
            lock (_all)
            {
                _all.Remove(this);
            }

            // Unbound, not disposed: the memory of its connections goes with it, and they may still be answered.
            await _socket.UnbindAsync(cancellationToken).ConfigureAwait(false);
            lock (_lock)
            {
                _closed = true;
                while (_waiting.TryDequeue(out var connection))
                {
                    Refuse(connection);
                }
            }
        }

        private void Attach(HandedListener listener)
        {
            lock (_lock)
            {
                _current?.TakeBackUnread(_waiting);
                _claimant = listener.Server;
                _current = listener;
                while (_waiting.TryDequeue(out var connection))
                {
                    listener.Hand(connection);
                }
            }
        }

        private static void Refuse(ConnectionContext connection) =>
            connection.Abort(new ConnectionAbortedException("The application no longer listens here."));

        private async Task AcceptAsync()
        {
            while (await AcceptNextAsync().ConfigureAwait(false))
            {
            }
        }

        /// <summary>A call for each connection: in a loop the last one, and the generation that answered it, would be held until the next comes.</summary>
        private async Task<bool> AcceptNextAsync() => TryHand(await _socket.AcceptAsync().ConfigureAwait(false));

        private bool TryHand(ConnectionContext? connection)
        {
            if (connection is null)
            {
                return false;
            }

            lock (_lock)
            {
                if (_current is { } listener)
                {
                    listener.Hand(connection);
                }
                else if (_closed)
                {
                    // Accepted just before the socket closed: nobody will ever come for it.
                    Refuse(connection);
                }
                else
                {
                    _waiting.Enqueue(connection);
                }
            }

            return true;
        }
    }
}

/// <summary>One generation's view of a listening socket that it doesn't own.</summary>
internal sealed class HandedListener : IConnectionListener
{
    private readonly Channel<ConnectionContext> _accepted = Channel.CreateUnbounded<ConnectionContext>();
    private readonly IConnectionListener _socket;
    private readonly Func<CancellationToken, ValueTask> _close;
    private volatile bool _ended;

    public HandedListener(IConnectionListener socket, ServerConnections server, Func<CancellationToken, ValueTask> close)
    {
        _socket = socket;
        Server = server;
        _close = close;
        server.Add(this);
    }

    public EndPoint EndPoint => _socket.EndPoint;

    public ServerConnections Server { get; }

    /// <summary>Gets a value indicating whether its server has stopped accepting.</summary>
    public bool HasEnded => _ended;

    public void Hand(ConnectionContext connection) => _accepted.Writer.TryWrite(connection);

    public void TakeBackUnread(Queue<ConnectionContext> waiting)
    {
        while (_accepted.Reader.TryRead(out var connection))
        {
            waiting.Enqueue(connection);
        }
    }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _accepted.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_accepted.Reader.TryRead(out var connection))
            {
                Server.Add(connection);
                return connection;
            }
        }

        return null;
    }

    /// <summary>Ends the server's accept loop; the socket stays open for the next server.</summary>
    public void End()
    {
        _ended = true;
        _accepted.Writer.TryComplete();
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        End();

        // Only a server that stops for good closes the port.
        if (!Server.IsRetired)
        {
            await _close(cancellationToken).ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync()
    {
        End();

        // By now the server's connections have closed.
        return Server.IsRetired ? ValueTask.CompletedTask : _socket.DisposeAsync();
    }
}
