using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;

namespace ResilientHosting.Aborts;

/// <summary>
/// Notices a client that resets its connection during an upload that nobody reads. Kestrel stops to receive once its input buffer
/// is full, and with that stops to notice; so the sockets of such requests are looked at once a second. A client that closes in an
/// orderly way stays unnoticed: its FIN waits, behind the data that was not received, on the client's own side.
/// </summary>
/// <param name="clock">Drives the looks.</param>
/// <param name="inputBufferSize">How much the server receives in advance, in bytes; no limit if <see langword="null"/>.</param>
internal sealed class UploadWatch(TimeProvider clock, long? inputBufferSize)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly HashSet<WatchedUpload> _uploads = [];
    private ITimer? _timer;

    /// <summary><see langword="null"/> if the server receives to the end in any case, or the socket cannot be asked.</summary>
    public WatchedUpload? Watch(HttpContext context, AbortMonitor monitor)
    {
        // HTTP/2 has flow control of its own for each stream, and always receives.
        if (!OperatingSystem.IsLinux()
            || inputBufferSize is not { } size
            || context.Request.ContentLength < size
            || !context.Request.HasOwnConnection()
            || context.Features.Find<IConnectionSocketFeature>()?.Socket is not { } socket
            || context.Features.Find<IConnectionLifetimeFeature>() is not { } connection)
        {
            return null;
        }

        var upload = new WatchedUpload(this, monitor, socket, connection);
        lock (_lock)
        {
            _uploads.Add(upload);
            _timer ??= CreateTimer();
        }

        return upload;
    }

    public void Forget(WatchedUpload upload)
    {
        lock (_lock)
        {
            if (_uploads.Remove(upload) && _uploads.Count == 0)
            {
                _timer?.Dispose();
                _timer = null;
            }
        }
    }

    private ITimer CreateTimer()
    {
        // The timer belongs to all uploads: it must not keep the context of the one that happened to be first.
        using AsyncFlowControl? restore = ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
        return clock.CreateTimer(static state => ((UploadWatch)state!).Look(), this, Interval, Interval);
    }

    private void Look()
    {
        WatchedUpload[] uploads;
        lock (_lock)
        {
            uploads = [.. _uploads];
        }

        foreach (var upload in uploads)
        {
            upload.Look();
        }
    }
}

/// <summary>A request whose body may be more than its server receives unread. Disposing of it ends the watch.</summary>
internal sealed class WatchedUpload(UploadWatch watch, AbortMonitor monitor, Socket socket, IConnectionLifetimeFeature connection)
    : IDisposable
{
    public void Dispose() => watch.Forget(this);

    public void Look()
    {
        if (monitor.HasReadBody)
        {
            watch.Forget(this);
        }
        else if (SocketState.IsReset(socket))
        {
            watch.Forget(this);
            monitor.ReportLeft();

            // The connection, not the request: this way the server finds out just as it does from any other reset. It takes an
            // abort of the request for the application's, and one in the middle of a read leaves that read open, with a warning.
            // If the request has ended meanwhile nobody else is harmed: the connection is gone in any case.
            connection.Abort();
        }
    }
}
