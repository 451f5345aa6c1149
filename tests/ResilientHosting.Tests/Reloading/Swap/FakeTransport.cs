using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Listens without sockets: connections arrive when a test says so.</summary>
internal sealed class FakeTransport : IConnectionListenerFactory
{
    private int _lastPort = 40_000;

    public List<FakeListener> Opened { get; } = [];

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var requested = (IPEndPoint)endpoint;
        var listener = new FakeListener(new IPEndPoint(requested.Address, requested.Port == 0 ? ++_lastPort : requested.Port));
        Opened.Add(listener);
        return new(listener);
    }
}

internal sealed class FakeListener(EndPoint endpoint) : IConnectionListener
{
    private readonly Channel<ConnectionContext> _arriving = Channel.CreateUnbounded<ConnectionContext>();
    private readonly TaskCompletionSource _closed = new();

    public EndPoint EndPoint => endpoint;

    public Task Closed => _closed.Task;

    public bool IsDisposed { get; private set; }

    public DefaultConnectionContext Connect()
    {
        var connection = new DefaultConnectionContext();
        Assert.True(_arriving.Writer.TryWrite(connection));
        return connection;
    }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
        await _arriving.Reader.WaitToReadAsync(cancellationToken) && _arriving.Reader.TryRead(out var connection) ? connection : null;

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _arriving.Writer.TryComplete();
        _closed.TrySetResult();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask;
    }
}
