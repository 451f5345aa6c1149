using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;

namespace ResilientHosting.Aborts;

/// <summary>
/// Watches one request from the middleware's entry to its exit. It stands in for the server's lifetime feature, so that it knows
/// who aborts and can give the handler another token than the server's. It is the only object an undisturbed request costs.
/// </summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "Its token sources have neither timers nor wait handles, and their tokens may outlive the request.")]
internal sealed partial class AbortMonitor : IClientAbortFeature, IHttpRequestLifetimeFeature
{
    // The phase while the handler runs depends on how far its response has come.
    private const int WhereTheResponseIs = -1;

    private static readonly ClientAbort NotAborted = new(ClientAbortCause.Unknown, ClientAbortPhase.Queued, default);

    // Takes the place of an orphan that can no longer be one, because its request has ended.
    private static readonly Orphan NoOrphan = new("", null, null, default, default, null);

    private readonly AbortSettings _settings;
    private readonly string _method;
    private readonly Endpoint? _endpoint;
    private readonly IFeatureCollection _features;
    private readonly IHttpRequestLifetimeFeature _server;
    private readonly IHttpResponseFeature? _response;
    private readonly CancellationToken _serverToken;
    private readonly CancellationToken _connectionClosed;
    private readonly IConnectionEndFeature? _connection;
    private readonly bool _isMultiplexed;
    private object? _client;
    private ClientAbortPolicy _policy;
    private WorkCancellation? _work;
    private CancellationTokenRegistration _registration;
    private CancellationToken _requestTimeout;
    private CancellationToken? _replacedToken;
    private ObservedRequestBody? _body;
    private WatchedUpload? _upload;
    private ObservedUpgrade? _upgrade;
    private CancellationTokenSource? _clientAborted;
    private ClientAbort? _abort;
    private Orphan? _orphan;
    private volatile bool _abortDelivered;
    private volatile bool _isEnding;
    private volatile bool _abortedByApplication;
    private volatile bool _leftUnnoticed;
    private volatile int _phase = (int)ClientAbortPhase.Queued;
    private List<Exception>? _bodyFailures;

    private AbortMonitor(
        HttpContext context, Endpoint? endpoint, IHttpRequestLifetimeFeature server, AbortSettings settings, ClientAbortPolicy policy,
        object? client)
    {
        // The abort may be noticed on another thread, even while the server recycles the context: what is needed then is fetched now.
        _settings = settings;
        _policy = policy;
        _client = client;
        _method = context.Request.Method;
        _endpoint = endpoint;
        _features = context.Features;
        _server = server;
        _response = _features.Find<IHttpResponseFeature>();
        _requestTimeout = _features.Find<IHttpRequestTimeoutFeature>()?.RequestTimeoutToken ?? default;
        _isMultiplexed = !context.Request.HasOwnConnection();
        _connectionClosed = _features.Find<IConnectionLifetimeFeature>()?.ConnectionClosed ?? default;
        _serverToken = TokenOf(server, _connectionClosed);
        _connection = _features.Find<IConnectionEndFeature>();
        if (policy.Behavior != ClientAbortBehavior.Cancel)
        {
            _work = new WorkCancellation(policy, settings);
            _work.LinkTo(_requestTimeout);
        }
    }

    public ClientAbort? Abort => ObserveAbort() is { } abort && !ReferenceEquals(abort, NotAborted) ? abort : null;

    public bool IsAborted => Abort is not null;

    // An abort in the phase "delivered" was found when the handler had ended: it came too late to cancel anything. Where nobody has
    // asked for the token there is no source either; the work could not know, and was cancelled all the same.
    public bool IsWorkCancelled =>
        Abort is { Phase: not ClientAbortPhase.Delivered } && (_work is null || _work.CancelledAt is not null);

    public ClientAbortCause Cause => Abort?.Cause ?? ClientAbortCause.Unknown;

    public ClientAbortPhase Phase => Abort?.Phase ?? CurrentPhase();

    public DateTimeOffset? AbortedAt => Abort?.At;

    public CancellationToken ClientAborted
    {
        get
        {
            // A source of our own, because the server uses its token again for the next request on the connection.
            var source = _clientAborted;
            if (source is null)
            {
                source = new CancellationTokenSource();
                source = Interlocked.CompareExchange(ref _clientAborted, source, null) ?? source;
                ObserveAbort();
                if (_abortDelivered)
                {
                    source.CancelGuarded(_settings.Logger);
                }
            }

            return source.Token;
        }
    }

    CancellationToken IHttpRequestLifetimeFeature.RequestAborted
    {
        get => _replacedToken ?? Work.Token;
        set
        {
            // The time-outs middleware announces itself before it replaces the token and forgets its time-out right after it has
            // put the token back, so this is the moment to learn whether one is running.
            if (_features.Find<IHttpRequestTimeoutFeature>() is { } timeout)
            {
                _requestTimeout = timeout.RequestTimeoutToken;
            }

            _replacedToken = value;
        }
    }

    /// <summary>Whether a request time-out expired while the client was waiting.</summary>
    public bool TimedOut => _requestTimeout.IsCancellationRequested && Abort is null or { Cause: ClientAbortCause.RequestTimeout };

    public CancellationToken ServerToken => _serverToken;

    /// <summary>Why the work was told to stop, or <see langword="null"/>.</summary>
    public AbortOutcome? WorkCancelledAs => _work?.CancelledAs;

    /// <summary>Whether the request is still inside the middleware.</summary>
    public bool IsWatching => ReferenceEquals(_features.Find<IHttpRequestLifetimeFeature>(), this);

    public bool HasBody => _body is not null;

    public bool HasReadBody => _body is { IsRead: true };

    /// <summary>How much of its body the application has read, as far as it has read it as a stream.</summary>
    public long? BodyBytesRead => _body?.BytesRead;

    /// <summary>The exception the work ended with, or <see langword="null"/>.</summary>
    public Exception? Thrown { get; private set; }

    /// <summary>Whether the work ran on, if only for a moment, after its client had left. Known once the watch has ended.</summary>
    public bool WasOrphan { get; private set; }

    /// <summary>Whether the connection may become a WebSocket.</summary>
    public bool IsUpgradable => _upgrade is not null;

    public ClientAbortPolicy Policy => _policy;

    // Created when somebody asks for the token: most requests under the policy to cancel end without anybody having done so.
    private WorkCancellation Work
    {
        get
        {
            if (_work is { } known)
            {
                return known;
            }

            var work = new WorkCancellation(_policy, _settings);
            if (Interlocked.CompareExchange(ref _work, work, null) is { } earlier)
            {
                return earlier;
            }

            // Whoever publishes an abort looks for the work after that; whoever publishes the work looks for an abort after that.
            if (Abort is { } abort)
            {
                work.OnAborted(abort, orphan: null);
            }

            return work;
        }
    }

    /// <summary>Starts to watch. <see langword="null"/> if the server has no notion of an aborted request.</summary>
    public static AbortMonitor? Attach(
        HttpContext context, Endpoint? endpoint, AbortSettings settings, ClientAbortPolicy policy, object? client)
    {
        if (context.Features.Find<IHttpRequestLifetimeFeature>() is not { } server)
        {
            return null;
        }

        var monitor = new AbortMonitor(context, endpoint, server, settings, policy, client);
        context.Features.Put<IClientAbortFeature>(monitor);
        context.Features.Put<IHttpRequestLifetimeFeature>(monitor);
        monitor._body = ObservedRequestBody.Attach(context, monitor);
        monitor._upload = monitor._body is null ? null : settings.Uploads.Watch(context, monitor);
        monitor._upgrade = ObservedUpgrade.Attach(context.Features, monitor);
        monitor._registration = monitor._serverToken.UnsafeRegister(static state => ((AbortMonitor)state!).ObserveAbort(), monitor);
        return monitor;
    }

    /// <summary>The client is known to have left although the server has not noticed it, and is about to be made to.</summary>
    public void ReportLeft() => _leftUnnoticed = true;

    public void HandlerStarts() => _phase = WhereTheResponseIs;

    void IHttpRequestLifetimeFeature.Abort()
    {
        _abortedByApplication = true;
        _server.Abort();

        // Kestrel cancels its token on another thread, perhaps after the handler has returned.
        ObserveAbort(proven: true);
    }

    public IDisposable DeferCancellation(TimeSpan cap) =>
        cap > TimeSpan.Zero && cap <= ClientAbortPolicy.LongestGrace
            ? Work.Defer(cap)
            : throw new ArgumentOutOfRangeException(
                nameof(cap), cap, $"Cancellation can be deferred for more than zero and at most {ClientAbortPolicy.LongestGrace}.");

    public void CorrectStatus() => AbortStatus.Correct(_response, Abort, TimedOut);

    /// <summary>Ends the watch and restores what was replaced. The verdict stays readable, and can no longer change.</summary>
    public ClientAbort? Detach(HttpContext context)
    {
        // Not Dispose: that would wait for a callback in progress, which may be running this very request's continuation.
        _registration.Unregister();
        _isEnding = true;
        _phase = (int)(_response is { HasStarted: true } ? ClientAbortPhase.Delivered : CurrentPhase());
        var abort = Abort;
        if (abort is null)
        {
            Interlocked.CompareExchange(ref _abort, NotAborted, null);
            abort = Abort;
        }
        else if (abort.Cause == ClientAbortCause.ClientStreamReset && _connectionClosed.IsCancellationRequested)
        {
            // The server aborts the streams of a connection that ends before it says that the connection has ended.
            _abort = abort = abort with { Cause = ClientAbortCause.Client };
        }

        _upload?.Dispose();
        _work?.End();
        if (Interlocked.Exchange(ref _orphan, NoOrphan) is { } orphan)
        {
            WasOrphan = true;
            _settings.Orphans.Remove(orphan);
        }

        _body?.Detach(context);
        _upgrade?.Detach(_features);
        if (IsWatching)
        {
            _features.Put(_server);
        }

        return abort;
    }

    /// <summary>
    /// The server's token. Kestrel does not fire the one it uses again for a keep-alive connection's next request if the connection had
    /// ended before that request began, so nobody would ever learn that its client has left: that request gets a token that has fired.
    /// </summary>
    private static CancellationToken TokenOf(IHttpRequestLifetimeFeature server, CancellationToken connectionClosed)
    {
        var token = server.RequestAborted;
        if (!connectionClosed.IsCancellationRequested || token.IsCancellationRequested)
        {
            return token;
        }

        server.RequestAborted = new CancellationToken(canceled: true);
        return server.RequestAborted;
    }

    private void CorrectStatusWhenResponseStarts()
    {
        if (_response is { HasStarted: false } response)
        {
            response.OnStarting(
                static state =>
                {
                    ((AbortMonitor)state).CorrectStatus();
                    return Task.CompletedTask;
                },
                this);
        }
    }

    private ClientAbort? ObserveAbort(bool proven = false)
    {
        if (_abort is { } known)
        {
            return known;
        }

        if (!proven && !_serverToken.IsCancellationRequested)
        {
            return null;
        }

        var found = new ClientAbort(_leftUnnoticed ? ClientAbortCause.Client : FindCause(), CurrentPhase(), _settings.Clock.GetUtcNow());
        if (Interlocked.CompareExchange(ref _abort, found, null) is { } earlier)
        {
            return earlier;
        }

        // Only the thread that published the abort gets here, so each consequence follows once.
        Deliver(found);
        return found;
    }

    private ClientAbortCause FindCause() => AbortCauseResolver.Resolve(new AbortCircumstances(
        _abortedByApplication,
        _requestTimeout.IsCancellationRequested,
        _body is { UnsettledFailure: IOException },
        _settings.HostStopping.IsCancellationRequested,
        _body is { WasTooSlow: true },
        _isMultiplexed,
        _connectionClosed.IsCancellationRequested,
        _connection?.End));

    private ClientAbortPhase CurrentPhase()
    {
        if (_body is { IsReading: true })
        {
            return ClientAbortPhase.RequestBody;
        }

        if (_phase is not WhereTheResponseIs and var known)
        {
            return (ClientAbortPhase)known;
        }

        var phase = ResponsePhase.Of(_response);
        return phase == ClientAbortPhase.Compute && _body is { IsIncomplete: true } ? ClientAbortPhase.RequestBody : phase;
    }
}
