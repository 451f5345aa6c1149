using System.Net;
using System.Runtime.Loader;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class ListenerHandoverTests
{
    private static readonly IPEndPoint Fixed = new(IPAddress.Loopback, 5000);
    private static readonly IPEndPoint Any = new(IPAddress.Loopback, 0);

    private readonly FakeTransport _transport = new();
    private readonly ListenerHandover _handover = new();
    private readonly ServerConnections _first = new();
    private readonly ServerConnections _second = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connection_WhileAServerListens_IsItsOwn()
    {
        var listener = await BindAsync(Fixed, _first);
        var accepting = AcceptAsync(listener);

        var connection = Assert.Single(_transport.Opened).Connect();

        Assert.Equal(Fixed, listener.EndPoint);
        Assert.Same(connection, await accepting);
    }

    [Fact]
    public async Task Connections_BetweenTwoServers_AreHandedToTheNextInOrder()
    {
        await BindAsync(Fixed, _first);
        var socket = Assert.Single(_transport.Opened);
        _first.Retire();
        _handover.Pause(_first);
        DefaultConnectionContext[] arrived = [socket.Connect(), socket.Connect()];

        var next = await BindAsync(Fixed, _second);

        Assert.Same(arrived[0], await AcceptAsync(next));
        Assert.Same(arrived[1], await AcceptAsync(next));
        Assert.Single(_transport.Opened);
    }

    [Fact]
    public async Task Connection_NotYetReadByThePausedServer_MovesToTheNext()
    {
        var paused = await BindAsync(Fixed, _first);
        var socket = Assert.Single(_transport.Opened);
        var taken = socket.Connect();
        Assert.Same(taken, await AcceptAsync(paused));
        var unread = socket.Connect();
        _handover.Pause(_first);

        var next = await BindAsync(Fixed, _second);

        Assert.Same(unread, await AcceptAsync(next));
    }

    [Fact]
    public async Task PortZeroTwice_InTwoGenerations_IsTheSameTwoPortsInTheSameOrder()
    {
        EndPoint[] before = [(await BindAsync(Any, _first)).EndPoint, (await BindAsync(Any, _first)).EndPoint];
        _first.Retire();
        _handover.Pause(_first);

        EndPoint[] after = [(await BindAsync(Any, _second)).EndPoint, (await BindAsync(Any, _second)).EndPoint];

        Assert.NotEqual(before[0], before[1]);
        Assert.Equal(before, after);
        Assert.Equal(2, _transport.Opened.Count);
    }

    [Fact]
    public async Task ReleaseUnclaimed_EndpointTheNextServerDoesNotAskFor_IsClosedWithWhoWaitsThere()
    {
        await BindAsync(Fixed, _first);
        await BindAsync(Any, _first);
        _first.Retire();
        _handover.Pause(_first);
        var waiting = _transport.Opened[1].Connect();
        await BindAsync(Fixed, _second);

        await _handover.ReleaseUnclaimedAsync();

        await _transport.Opened[1].Closed.WaitAsync(KestrelTestHost.Timeout, Token);
        await ClosedAsync(waiting);
        Assert.False(_transport.Opened[0].Closed.IsCompleted);
    }

    [Fact]
    public async Task Unbind_OfARetiredServer_LeavesTheSocketOpen()
    {
        var listener = await BindAsync(Fixed, _first);
        _first.Retire();

        await listener.UnbindAsync(Token);

        Assert.Null(await AcceptAsync(listener));
        Assert.False(_transport.Opened[0].Closed.IsCompleted);
    }

    [Fact]
    public async Task Unbind_OfTheServingServer_ClosesTheSocketAndTheNextOpensAnother()
    {
        var listener = await BindAsync(Fixed, _first);

        await listener.UnbindAsync(Token);

        Assert.True(_transport.Opened[0].Closed.IsCompleted);
        await BindAsync(Fixed, _second);
        Assert.Equal(2, _transport.Opened.Count);
    }

    [Fact]
    public async Task Unbind_OfTheServingServer_KeepsItsConnectionsMemoryUntilDisposal()
    {
        var listener = await BindAsync(Fixed, _first);

        await listener.UnbindAsync(Token);
        Assert.False(_transport.Opened[0].IsDisposed);
        await listener.DisposeAsync();

        Assert.True(_transport.Opened[0].IsDisposed);
    }

    [Fact]
    public async Task Resume_AfterPause_GivesTheSameServerItsConnectionsBack()
    {
        var listener = await BindAsync(Fixed, _first);
        _handover.Pause(_first);
        var waiting = _transport.Opened[0].Connect();

        _handover.Resume(_first);

        Assert.Same(waiting, await AcceptAsync(listener));
    }

    [Fact]
    public async Task Connection_WhileTheNextServerStillBinds_IsNobodysUntilItServes()
    {
        await BindAsync(Fixed, _first);
        _first.Retire();
        _handover.Pause(_first);
        var failed = await _handover.BindAsync(Fixed, new ServerConnections(), _transport, Token);
        var arrived = _transport.Opened[0].Connect();

        // It could not bind the next of its endpoints.
        await failed.UnbindAsync(Token);
        await failed.DisposeAsync();

        Assert.False(_transport.Opened[0].Closed.IsCompleted);
        Assert.Same(arrived, await AcceptAsync(await BindAsync(Fixed, _second)));
    }

    [Fact]
    public async Task Server_GivenUpDuringItsStart_GetsNothing()
    {
        await BindAsync(Fixed, _first);
        var generation = new Generation(1, AssemblyLoadContext.Default);
        var late = new ServerConnections(generation);
        generation.RequestStop();

        await Assert.ThrowsAsync<HostAbortedException>(() => BindAsync(Any, late));
        await Assert.ThrowsAsync<HostAbortedException>(() => _handover.ServeAsync(late, Token));
        Assert.Single(_transport.Opened);
    }

    private async Task<IConnectionListener> BindAsync(EndPoint endpoint, ServerConnections server)
    {
        var listener = await _handover.BindAsync(endpoint, server, _transport, Token);
        await _handover.ServeAsync(server, Token);
        return listener;
    }

    private static Task<ConnectionContext?> AcceptAsync(IConnectionListener listener) =>
        listener.AcceptAsync(Token).AsTask().WaitAsync(KestrelTestHost.Timeout, Token);

    private static async Task ClosedAsync(DefaultConnectionContext connection)
    {
        var closed = new TaskCompletionSource();
        await using var registration = connection.ConnectionClosed.Register(closed.SetResult);
        await closed.Task.WaitAsync(KestrelTestHost.Timeout, Token);
    }
}
