using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ResilientHosting.Outages;

/// <summary>
/// Stands between the pools and the server, counts connects, and can fail as a network does: a black hole that holds every byte, a slow
/// path, connections that break.
/// </summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Socket, Task> _links = new();
    private readonly IPEndPoint _server;
    private readonly Task _accepting;
    private TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _dials;

    public FaultProxy(int serverPort)
    {
        _server = new IPEndPoint(IPAddress.Loopback, serverPort);
        _open.SetResult();
        _listener.Start(backlog: 512);
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Connects of clients so far.</summary>
    public long Dials => Interlocked.Read(ref _dials);

    /// <summary>How long each connect takes.</summary>
    public TimeSpan DialTime { get; set; }

    /// <summary>From now on nothing passes, in either direction; connects are accepted and lead nowhere.</summary>
    public void Swallow() => _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets everything pass again, what was held back first.</summary>
    public void Pass() => _open.TrySetResult();

    public void BreakConnections()
    {
        foreach (var client in _links.Keys)
        {
            client.Close(timeout: 0);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_links.Values);
        _stop.Dispose();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                Interlocked.Increment(ref _dials);
                _ = LinkAsync(client);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task LinkAsync(Socket client)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _links[client] = ended.Task;
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            client.NoDelay = true;
            await Task.Delay(DialTime, TimeProvider.System, _stop.Token);
            await _open.Task.WaitAsync(_stop.Token);
            await server.ConnectAsync(_server, _stop.Token);
            var pumps = new[] { PumpAsync(client, server), PumpAsync(server, client) };
            await Task.WhenAny(pumps);
            client.Close(timeout: 0);
            server.Close();
            await Task.WhenAll(pumps);
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            // The server refuses, or the run is over.
        }
        finally
        {
            client.Close(timeout: 0);
            _links.TryRemove(client, out _);
            ended.SetResult();
        }
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[8192];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var read)
            {
                await _open.Task.WaitAsync(_stop.Token);
                await to.SendAsync(buffer.AsMemory(0, read), _stop.Token);
            }
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            // One side has gone: so does the link.
        }
    }

    private static bool IsEnd(Exception exception) => exception is SocketException or ObjectDisposedException or OperationCanceledException;
}
