namespace ResilientHosting.Aborts;

/// <summary>Takes a request through the stages: watch it, give its work the policy's token, judge its exception, write it down.</summary>
internal sealed class ClientAbortMiddleware(
    RequestDelegate next, AbortSettings settings, AbortRecorder recorder, AdoptingEndpoints adopting)
{
    private readonly EndpointGuard _guard = new();

    public Task InvokeAsync(HttpContext context)
    {
        var endpoint = context.GetEndpoint();
        var metadata = endpoint?.Metadata;
        if (metadata?.GetMetadata<DisableClientAbortToleranceAttribute>() is not null
            || context.Features.Find<IClientAbortFeature>() is not null)
        {
            // Once a request: a pipeline that is run again for an error page belongs to the request that is being watched.
            return next(context);
        }

        var options = settings.Options;
        var policy = metadata?.GetMetadata<ClientAbortAttribute>()?.PolicyAmong(options);
        if (metadata?.GetMetadata<AdoptOnResendAttribute>() is not null)
        {
            policy = AdoptionPolicy.Resolve(endpoint!, policy, options.DefaultPolicy);
            endpoint = adopting.Wrap(endpoint!);
        }

        policy ??= options.DefaultPolicy;
        var client = policy.Behavior != ClientAbortBehavior.Cancel || options.RefuseAtOrphanLimit ? settings.ClientOf(context) : null;
        if (options.RefuseAtOrphanLimit && settings.Orphans.IsFull(client))
        {
            return RefuseAsync(context);
        }

        return AbortMonitor.Attach(context, endpoint, settings, policy, client) is { } monitor
            ? TolerateAsync(context, endpoint, monitor, policy)
            : next(context);
    }

    // One method on purpose: each further async one would cost every request that waits for something another object.
    private async Task TolerateAsync(HttpContext context, Endpoint? endpoint, AbortMonitor monitor, ClientAbortPolicy policy)
    {
        var outcome = AbortOutcome.Dropped;
        try
        {
            var mayRun = policy.Behavior == ClientAbortBehavior.Cancel
                ? !monitor.IsAborted
                : await SecureBodyAsync(context, monitor).ConfigureAwait(false);
            if (mayRun)
            {
                _guard.Apply(context, endpoint);
                monitor.HandlerStarts();
                await next(context).ConfigureAwait(false);

                // A model binder keeps a failed read to itself, and some reads cannot wait for their own settling.
                await monitor.SettleAsync().ConfigureAwait(false);

                // An exception handler inside this middleware may have dealt with the cancellation; this is the mark it leaves.
                outcome = monitor.IsCut || context.Response.StatusCode == StatusCodes.Status499ClientClosedRequest
                    ? monitor.WorkCancelledAs ?? AbortOutcome.Cancelled
                    : AbortOutcome.Completed;
            }
        }
        catch (Exception exception)
        {
            if (!await monitor.IsCausedByAbortAsync(exception).ConfigureAwait(false))
            {
                outcome = AbortOutcome.Failed;
                if (monitor.IsAborted)
                {
                    recorder.RecordFailure(context, exception);
                }

                throw;
            }

            outcome = monitor.WorkCancelledAs ?? AbortOutcome.Cancelled;
            await monitor.ConfirmAsync().ConfigureAwait(false);
            if (exception is OperationCanceledException)
            {
                throw;
            }

            // Everybody outside knows a cancelled request by this type and this token, and nobody knows the provider's.
            throw new OperationCanceledException("The request was aborted.", exception, monitor.ServerToken);
        }
        finally
        {
            EndpointGuard.Remove(context);
            if (monitor.Detach(context) is { } abort)
            {
                recorder.Record(
                    context,
                    new AbortReport(abort, monitor.Policy, outcome, monitor.Thrown, monitor.BodyBytesRead, monitor.WasOrphan));
            }

            if (outcome != AbortOutcome.Failed)
            {
                monitor.CorrectStatus();
            }
        }
    }

    private async ValueTask<bool> SecureBodyAsync(HttpContext context, AbortMonitor monitor)
    {
        var limit = settings.Options.MaxSecuredBodySize;
        if (!monitor.HasBody || await SecuredBody.TryReadAsync(context.Request, limit, context.RequestAborted).ConfigureAwait(false))
        {
            return true;
        }

        recorder.RecordTooLarge(context, limit);
        await Refusal.BodyTooLargeAsync(context, limit).ConfigureAwait(false);
        return false;
    }

    private Task RefuseAsync(HttpContext context)
    {
        recorder.RecordRefusal(context);
        return Refusal.TooManyOrphansAsync(context);
    }
}
