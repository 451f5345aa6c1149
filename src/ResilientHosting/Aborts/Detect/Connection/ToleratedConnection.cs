using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Aborts;

/// <summary>
/// A connection as the server above sees it. It passes everything on, notes who ended the connection first, and can let a client
/// that has closed its sending side wait for its answer.
/// </summary>
internal sealed class ToleratedConnection : ConnectionContext, IConnectionLifetimeFeature, IConnectionEndFeature
{
    // Twice in the second that Kestrel gives requests to end after it has cut their connections.
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    private readonly ConnectionContext _transport;
    private readonly Socket? _socket;
    private readonly bool _answerHalfClosed;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;

    // Never disposed: it owns neither a timer nor a handle, and may fire while the connection ends.
    private readonly CancellationTokenSource _closed = new();
    private int _end;
    private int _isClosed;
    private ITimer? _watch;
    private volatile bool _isEndTold;
    private bool _wasEndTold;

    private ToleratedConnection(ConnectionContext transport, bool answerHalfClosed, TimeProvider clock, ILogger logger)
    {
        _transport = transport;
        _socket = transport.Features.Get<IConnectionSocketFeature>()?.Socket;
        _answerHalfClosed = answerHalfClosed;
        _clock = clock;
        _logger = logger;
        ConnectionClosed = _closed.Token;
    }

    public ConnectionEnd End => (ConnectionEnd)Volatile.Read(ref _end);

    public override string ConnectionId { get => _transport.ConnectionId; set => _transport.ConnectionId = value; }

    public override IFeatureCollection Features => _transport.Features;

    public override IDictionary<object, object?> Items { get => _transport.Items; set => _transport.Items = value; }

    public override IDuplexPipe Transport { get => _transport.Transport; set => _transport.Transport = value; }

    public override EndPoint? LocalEndPoint { get => _transport.LocalEndPoint; set => _transport.LocalEndPoint = value; }

    public override EndPoint? RemoteEndPoint { get => _transport.RemoteEndPoint; set => _transport.RemoteEndPoint = value; }

    /// <summary>A token of its own: it fires after the cause is noted, and not for an end that is held back.</summary>
    public override CancellationToken ConnectionClosed { get; set; }

    private bool IsSocketGone => _socket is not null && (!_socket.Connected || SocketState.IsReset(_socket));

    /// <summary>Runs what is above with a tolerated connection, and restores what was replaced.</summary>
    public static async Task RunAsync(
        ConnectionContext transport, ConnectionDelegate next, bool answerHalfClosed, TimeProvider clock, ILogger logger)
    {
        var connection = new ToleratedConnection(transport, answerHalfClosed, clock, logger);
        var pipe = transport.Transport;
        var lifetime = transport.Features.Get<IConnectionLifetimeFeature>();
        var end = transport.Features.Get<IConnectionEndFeature>();
        transport.Transport = new ObservedPipe(
            new ObservedTransportReader(pipe.Input, answerHalfClosed, connection.OnEndTold), pipe.Output);
        transport.Features.Set<IConnectionLifetimeFeature>(connection);
        transport.Features.Set<IConnectionEndFeature>(connection);
        var registration = transport.ConnectionClosed.UnsafeRegister(
            static state => ((ToleratedConnection)state!).OnTransportClosed(), connection);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            // Not Dispose: that would wait for a callback in progress, which may be waiting for this very connection.
            registration.Unregister();
            connection._watch?.Dispose();
            transport.Features.Set(end);
            transport.Features.Set(lifetime);
            transport.Transport = pipe;
        }
    }

    /// <summary>
    /// Somebody above ends the connection. The server calls this also in answer to an end it was told of, which has been noted by
    /// then, and to a failed write, which the socket tells. Which of the server's own reasons it was is found by elimination: the
    /// requests know the others.
    /// </summary>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        // A write that its own token cancels ends the connection too. By the type, since messages are translated.
        NoteAbort(abortReason?.InnerException is OperationCanceledException ? ConnectionEnd.ByApplication : ConnectionEnd.ByServer);
        _transport.Abort(abortReason!);
    }

    /// <summary>Kestrel always gives a reason, so this is the application.</summary>
    public override void Abort()
    {
        NoteAbort(ConnectionEnd.ByApplication);
        _transport.Abort();
    }

    private void NoteAbort(ConnectionEnd end)
    {
        if (IsSocketGone)
        {
            NoteDeparture();
        }

        Note(end);
    }

    private void OnEndTold(Exception? failure)
    {
        var isByClient = failure is null or IOException { InnerException: not ConnectionAbortedException };
        Note(isByClient ? ConnectionEnd.ByClient : ConnectionEnd.Unexplained);
        _isEndTold = true;
    }

    private void OnTransportClosed()
    {
        // The transport reports an orderly end, a reset, a failed write and its own closing alike. Only after the first is the
        // socket still connected.
        if (_answerHalfClosed && _socket is { Connected: true })
        {
            // From here on nobody reports that the client is gone for good, or that the host cut the connection.
            _watch = _clock.CreateTimer(static state => ((ToleratedConnection)state!).LookForDeparture(), this, LookEvery, LookEvery);
            return;
        }

        NoteDeparture();
        Close();
    }

    private void LookForDeparture()
    {
        if (IsSocketGone)
        {
            NoteDeparture();
            Close();
        }
        else if (_wasEndTold)
        {
            Close();
        }

        // The server, once told, ends by itself. At that moment its last answer may be on its way to the socket, and whoever closes
        // now cuts it off; only the next look closes what did not end, such as an upgraded connection.
        _wasEndTold = _isEndTold;
    }

    // Whoever ends a connection from this side disposes of its socket; so does the transport after a failed write, however.
    private void NoteDeparture() =>
        Note(_socket is null || SocketState.IsDisposed(_socket) ? ConnectionEnd.Unexplained : ConnectionEnd.ByClient);

    private void Note(ConnectionEnd end) => Interlocked.CompareExchange(ref _end, (int)end, (int)ConnectionEnd.Open);

    private void Close()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            _watch?.Dispose();
            _closed.CancelGuarded(_logger);
        }
    }

    private sealed class ObservedPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
