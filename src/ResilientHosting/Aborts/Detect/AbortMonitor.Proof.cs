using System.Diagnostics.CodeAnalysis;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

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

        var failedAt = _settings.Clock.GetTimestamp();
        var proof = ProofOf(failure);
        await ConfirmedAsync(proof).ConfigureAwait(false);
        if (_serverToken.IsCancellationRequested)
        {
            _settings.Metrics.Confirmed(_settings.Clock.GetElapsedTime(failedAt), body.Protocol);
        }

        ObserveAbort(proven: proof == Proof.Given);
        await AcceptAsync(failure).ConfigureAwait(false);
        body.Settled();
    }

    /// <summary>Waits, at most for the settle time-out, until the server confirms that the end of an upgraded connection was an abort.</summary>
    public async ValueTask SettleConnectionAsync()
    {
        await ConfirmedAsync(Proof.Missing).ConfigureAwait(false);
        ObserveAbort();
    }

    /// <summary>
    /// Waits until the server's own token has fired, which is what everybody outside the middleware goes by. An abort that did not
    /// start at the server's token (the application's, a proven reset) may be known here a little earlier.
    /// </summary>
    public ValueTask ConfirmAsync() =>
        Abort is null or { Cause: ClientAbortCause.RequestTimeout } || _serverToken.IsCancellationRequested
            ? ValueTask.CompletedTask
            : ConfirmedAsync(Proof.Given);

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

    /// <summary>What a failed read of the body says by itself about the client, before the server says anything.</summary>
    private Proof ProofOf(Exception failure) => failure switch
    {
        ConnectionResetException => Proof.Given,

        // Kestrel reports a body that ends early and a malformed one alike; the connection knows whether it has ended.
        BadHttpRequestException when !_isMultiplexed => HasConnectionEnded() switch
        {
            true => Proof.Given,
            false => Proof.Refuted,
            null => ProofOfRejection(failure),
        },

        // The stream was reset, or a body that somebody else has put in place failed. The server has confirmed the first by now, or
        // is about to.
        IOException when _isMultiplexed => Proof.Likely,
        _ => Proof.Missing,
    };

    /// <summary>
    /// What the server's rejection of a body says where the connection says nothing. With a body of a known length nothing can be wrong
    /// but that it ends early; one in chunks may be malformed, which is rare.
    /// </summary>
    private Proof ProofOfRejection(Exception failure)
    {
#pragma warning disable CS0618 // The only mark of Kestrel's own rejections: what others throw for a body may mean anything.
        var isServers = failure is Microsoft.AspNetCore.Server.Kestrel.Core.BadHttpRequestException;
#pragma warning restore CS0618
        return isServers ? _body is { HasKnownLength: true } ? Proof.Given : Proof.Likely : Proof.Missing;
    }

    private bool? HasConnectionEnded()
    {
        if (_features.Get<IConnectionTransportFeature>() is not { Transport.Input: { } input })
        {
            return null;
        }

        try
        {
            // After a failed read the server has put back what it had taken. Where nothing is left, TLS does not say whether it ends.
            if (!input.TryRead(out var result))
            {
                return null;
            }

            input.AdvanceTo(result.Buffer.Start);
            return result.IsCompleted;
        }
        catch (IOException)
        {
            return true;
        }
        catch (InvalidOperationException)
        {
            // Unless the application had looked ahead: then the server's own read is still open.
            return null;
        }
    }

    private async ValueTask ConfirmedAsync(Proof proof)
    {
        var settleTimeout = _settings.Options.SettleTimeout;
        if (_serverToken.IsCancellationRequested || settleTimeout == TimeSpan.Zero || proof == Proof.Refuted)
        {
            return;
        }

        // What is certain to be confirmed may be waited for longer: on a busy machine the server takes its time.
        var patience = proof == Proof.Missing ? settleTimeout : ClientAbortOptions.LongestSettleTimeout;
        await Task.Delay(patience, _settings.Clock, _serverToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
                await ConfirmedAsync(Proof.Missing).ConfigureAwait(false);
                await AcceptAsync(cause).ConfigureAwait(false);
            }
        }
    }

    private enum Proof
    {
        /// <summary>Only the server can tell.</summary>
        Missing = 0,

        /// <summary>The client has left.</summary>
        Given,

        /// <summary>The client has most likely left, and the server is about to say so.</summary>
        Likely,

        /// <summary>The client is still there.</summary>
        Refuted,
    }
}
