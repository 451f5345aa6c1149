using System.Diagnostics.CodeAnalysis;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Connections;

namespace ResilientHosting.Aborts;

/// <content>Proof: what has to be waited for before an exception can be judged.</content>
internal sealed partial class AbortMonitor
{
    /// <summary>Waits, at most for the settle time-out, until the server confirms that a failed read of the body was an abort.</summary>
    public async ValueTask SettleAsync()
    {
        if (_body is not { UnsettledFailure: { } failure } body)
        {
            return;
        }

        // A reset connection is proof in itself, and the server is sure to confirm it, if perhaps late on a busy machine. A malformed
        // body from a client that stays is never confirmed.
        var isProof = failure is ConnectionResetException;
        var failedAt = _settings.Clock.GetTimestamp();
        await ConfirmedAsync(isProof).ConfigureAwait(false);
        if (_serverToken.IsCancellationRequested)
        {
            _settings.Metrics.Confirmed(_settings.Clock.GetElapsedTime(failedAt), body.Protocol);
        }

        ObserveAbort(isProof);
        await AcceptAsync(failure).ConfigureAwait(false);
        body.Settled();
    }

    /// <summary>Waits, at most for the settle time-out, until the server confirms that the end of an upgraded connection was an abort.</summary>
    public async ValueTask SettleConnectionAsync()
    {
        await ConfirmedAsync(isCertain: false).ConfigureAwait(false);
        ObserveAbort();
    }

    /// <summary>
    /// Waits until the server's own token has fired, which is what everybody outside the middleware goes by. An abort that did not
    /// start at the server's token (the application's, a proven reset) may be known here a little earlier.
    /// </summary>
    public ValueTask ConfirmAsync() =>
        Abort is null or { Cause: ClientAbortCause.RequestTimeout } || _serverToken.IsCancellationRequested
            ? ValueTask.CompletedTask
            : ConfirmedAsync(isCertain: true);

    public async ValueTask<bool> IsCausedByAbortAsync(Exception exception)
    {
        Thrown = exception;

        // Looked at before any settling: what was thrown before the abort was not caused by it.
        var cancelledAt = _work is null ? AbortedAt : _work.CancelledAt;
        var thrownAt = _settings.Clock.GetUtcNow();
        await SettleAsync().ConfigureAwait(false);
        await SettleWebSocketAsync(exception).ConfigureAwait(false);
        if (TimedOut)
        {
            CorrectStatusWhenResponseStarts();
        }

        return AbortClassifier.IsCausedByAbort(exception, new AbortFacts
        {
            BodyFailures = _bodyFailures ?? [],
            WorkToken = _work?.Token ?? _serverToken,
            AbortToken = _clientAborted?.Token ?? _serverToken,
            CancelledAt = cancelledAt,
            ThrownAt = thrownAt,
            IsRecognizedCancellation = IsRecognizedCancellation,
        });
    }

    [SuppressMessage(
        "Design", "CA1031", Justification = "A user's rule may throw anything; the exception it was asked about must survive it.")]
    private bool IsRecognizedCancellation(Exception exception)
    {
        try
        {
            return _settings.Options.IsRecognizedCancellation(exception);
        }
        catch (Exception ruleFailure)
        {
            ClientAbortLog.CancellationRuleFailed(_settings.Logger, ruleFailure);
            return false;
        }
    }

    private async ValueTask ConfirmedAsync(bool isCertain)
    {
        var patience = isCertain ? ClientAbortOptions.LongestSettleTimeout : _settings.Options.SettleTimeout;
        if (!_serverToken.IsCancellationRequested && _settings.Options.SettleTimeout > TimeSpan.Zero)
        {
            await Task.Delay(patience, _settings.Clock, _serverToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Takes a failure for the abort's if there is one.</summary>
    private async ValueTask AcceptAsync(Exception failure)
    {
        if (!IsAborted)
        {
            return;
        }

        // Another thread may have found the abort and be about to cancel the work; who sees this failure next asks the work's token.
        if (!_abortDelivered)
        {
            await Task.Delay(ClientAbortOptions.LongestSettleTimeout, _settings.Clock, ClientAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        (_bodyFailures ??= []).Add(failure);
        CorrectStatusWhenResponseStarts();
    }

    /// <summary>
    /// A WebSocket that breaks off is reported before the server has fired its token. The same exception from a connection of the
    /// application's own is told from it by the token that does not fire.
    /// </summary>
    private async ValueTask SettleWebSocketAsync(Exception exception)
    {
        if (_response is not { StatusCode: StatusCodes.Status101SwitchingProtocols })
        {
            return;
        }

        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is WebSocketException { WebSocketErrorCode: WebSocketError.ConnectionClosedPrematurely })
            {
                await ConfirmedAsync(isCertain: false).ConfigureAwait(false);
                await AcceptAsync(cause).ConfigureAwait(false);
            }
        }
    }
}
