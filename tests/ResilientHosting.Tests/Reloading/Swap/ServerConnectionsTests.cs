using Microsoft.AspNetCore.Connections;
using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class ServerConnectionsTests
{
    private readonly ServerConnections _connections = new();

    [Fact]
    public void Idle_EndedWithoutConnections_IsReachedAtOnce()
    {
        Assert.False(_connections.Idle.IsCompleted);

        _connections.End();

        Assert.True(_connections.Idle.IsCompleted);
    }

    [Fact]
    public void Idle_EndedWithConnections_IsReachedWithTheLast()
    {
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        _connections.Add(new DefaultConnectionContext { ConnectionClosed = first.Token });
        _connections.Add(new DefaultConnectionContext { ConnectionClosed = second.Token });
        _connections.End();

        first.Cancel();
        Assert.False(_connections.Idle.IsCompleted);
        second.Cancel();

        Assert.True(_connections.Idle.IsCompleted);
    }

    [Fact]
    public void Idle_WithoutConnectionsButNotEnded_IsNotReached()
    {
        using var connection = new CancellationTokenSource();
        _connections.Add(new DefaultConnectionContext { ConnectionClosed = connection.Token });
        _connections.Serve();
        _connections.Retire();

        connection.Cancel();

        Assert.True(_connections.IsRetired);
        Assert.False(_connections.Idle.IsCompleted);
    }
}
