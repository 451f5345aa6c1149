using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;

namespace ResilientHosting.Aborts;

/// <summary>
/// Watches one request from the middleware's entry to its exit. It stands in for the server's lifetime feature, so that it knows
/// who aborts and can give the handler another token than the server's. It is the only object an undisturbed request costs.
/// </summary>
internal sealed class AbortMonitor : IClientAbortFeature, IHttpRequestLifetimeFeature
{
    // The phase while the handler runs depends on how far its response has come.
    private const int WhereTheResponseIs = -1;

    private static readonly ClientAbort NotAborted = new(ClientAbortCause.Unknown, ClientAbortPhase.Queued, default);

    private readonly AbortSettings _settings;
    private readonly IFeatureCollection _features;
    private readonly IHttpRequestLifetimeFeature _server;
    private readonly IHttpResponseFeature? _response;
    private readonly CancellationToken _serverToken;
    private readonly CancellationToken _connectionClosed;
    private readonly IConnectionEndFeature? _connection;
    private readonly CompletingWork? _work;
    private readonly bool _isMultiplexed;
    private CancellationTokenRegistration _registration;
    private CancellationToken _requestTimeout;
    private CancellationToken? _replacedToken;
    private ObservedRequestBody? _body;
    private WatchedUpload? _upload;
    private CancellationTokenSource? _clientAborted;
    private ClientAbort? _abort;
    private volatile bool _abortedByApplication;
    private volatile bool _leftUnnoticed;
    private volatile int _phase = (int)ClientAbortPhase.Queued;
    private List<Exception>? _bodyFailures;

    private AbortMonitor(HttpContext context, IHttpRequestLifetimeFeature server, AbortSettings settings, ClientAbortPolicy policy)
    {
        // The abort may be noticed on another thread, even while the server recycles the context: what is needed then is fetched now.
        _settings = settings;
        _features = context.Features;
        _server = server;
        _serverToken = server.RequestAborted;
        _response = _features.Get<IHttpResponseFeature>();
        _requestTimeout = _features.Get<IHttpRequestTimeoutFeature>()?.RequestTimeoutToken ?? default;
        _isMultiplexed = !HttpProtocol.IsHttp11(context.Request.Protocol) && !HttpProtocol.IsHttp10(context.Request.Protocol);
        _connectionClosed = _isMultiplexed ? _features.Get<IConnectionLifetimeFeature>()?.ConnectionClosed ?? default : default;
        _connection = _features.Get<IConnectionEndFeature>();
        _work = policy.Behavior == ClientAbortBehavior.Cancel ? null : new CompletingWork(policy, settings, _requestTimeout);
    }

    public ClientAbort? Abort => ObserveAbort() is { } abort && !ReferenceEquals(abort, NotAborted) ? abort : null;

    public bool IsAborted => Abort is not null;

    // An abort in the phase "delivered" was found when the handler had ended: it came too late to cancel anything.
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
                if (IsAborted)
                {
                    source.CancelGuarded(_settings.Logger);
                }
            }

            return source.Token;
        }
    }

    CancellationToken IHttpRequestLifetimeFeature.RequestAborted
    {
        get => _replacedToken ?? WorkToken;
        set
        {
            // The time-outs middleware announces itself before it replaces the token and forgets its time-out right after it has
            // put the token back, so this is the moment to learn whether one is running.
            if (_features.Get<IHttpRequestTimeoutFeature>() is { } timeout)
            {
                _requestTimeout = timeout.RequestTimeoutToken;
            }

            _replacedToken = value;
        }
    }

    /// <summary>The token of the handler: the policy's, or the server's where the policy is to cancel.</summary>
    public CancellationToken WorkToken => _work?.Token ?? _serverToken;

    /// <summary>Whether a request time-out expired while the client was waiting.</summary>
    public bool TimedOut => _requestTimeout.IsCancellationRequested && Abort is null or { Cause: ClientAbortCause.RequestTimeout };

    public CancellationToken ServerToken => _serverToken;

    /// <summary>Whether the request is still inside the middleware.</summary>
    public bool IsWatching => ReferenceEquals(_features.Get<IHttpRequestLifetimeFeature>(), this);

    public bool HasBody => _body is not null;

    public bool HasReadBody => _body is { IsRead: true };

    public bool WorkExpired => _work is { IsExpired: true };

    /// <summary>Starts to watch. <see langword="null"/> if the server has no notion of an aborted request.</summary>
    public static AbortMonitor? Attach(HttpContext context, AbortSettings settings, ClientAbortPolicy policy)
    {
        if (context.Features.Get<IHttpRequestLifetimeFeature>() is not { } server)
        {
            return null;
        }

        var monitor = new AbortMonitor(context, server, settings, policy);
        context.Features.Set<IClientAbortFeature>(monitor);
        context.Features.Set<IHttpRequestLifetimeFeature>(monitor);
        monitor._body = ObservedRequestBody.Attach(context, monitor);
        monitor._upload = monitor._body is null ? null : settings.Uploads.Watch(context, monitor);
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

    /// <summary>Waits, at most for the settle time-out, until the server confirms that a failed read of the body was an abort.</summary>
    public async ValueTask SettleAsync()
    {
        if (_body is not { UnsettledFailure: { } failure } body)
        {
            return;
        }

        if (!IsAborted)
        {
            await Task.Delay(_settings.Options.SettleTimeout, _settings.Clock, _serverToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // A reset connection is proof in itself, whatever the server says.
        ObserveAbort(proven: failure is ConnectionResetException);
        if (IsAborted)
        {
            (_bodyFailures ??= []).Add(failure);
            CorrectStatusWhenResponseStarts();
        }

        body.Settled();
    }

    public async ValueTask<bool> IsCausedByAbortAsync(Exception exception)
    {
        // Looked at before any settling: what was thrown before the abort was not caused by it.
        var cancelledAt = _work is null ? AbortedAt : _work.CancelledAt;
        var thrownAt = _settings.Clock.GetUtcNow();
        await SettleAsync().ConfigureAwait(false);
        if (TimedOut)
        {
            CorrectStatusWhenResponseStarts();
        }

        return AbortClassifier.IsCausedByAbort(exception, new AbortFacts
        {
            BodyFailures = _bodyFailures ?? [],
            WorkToken = WorkToken,
            AbortToken = _clientAborted?.Token ?? WorkToken,
            CancelledAt = cancelledAt,
            ThrownAt = thrownAt,
            IsRecognizedCancellation = _settings.Options.IsRecognizedCancellation,
        });
    }

    public void CorrectStatus() => AbortStatus.Correct(_response, Abort, TimedOut);

    /// <summary>Ends the watch and restores what was replaced. The verdict stays readable, and can no longer change.</summary>
    public ClientAbort? Detach(HttpContext context)
    {
        // Not Dispose: that would wait for a callback in progress, which may be running this very request's continuation.
        _registration.Unregister();
        _phase = (int)(_response is { HasStarted: true } ? ClientAbortPhase.Delivered : CurrentPhase());
        var abort = Abort;
        if (abort is null)
        {
            Interlocked.CompareExchange(ref _abort, NotAborted, null);
            abort = Abort;
        }

        _upload?.Dispose();
        _work?.Dispose();
        _body?.Detach(context);
        if (IsWatching)
        {
            _features.Set(_server);
        }

        return abort;
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
        _work?.OnAborted(found);
        if (_clientAborted is { } source)
        {
            source.CancelGuarded(_settings.Logger);
        }

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
