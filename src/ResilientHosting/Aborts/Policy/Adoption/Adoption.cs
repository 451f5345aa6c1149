namespace ResilientHosting.Aborts;

/// <summary>
/// Takes a request of an endpoint that adopts to its turn: it runs the work, receives the result of work that runs already, or is told
/// why it gets neither.
/// </summary>
internal sealed class Adoption(ResendRegistry registry, SharedWork? shared, AbortSettings settings, ResendRecorder recorder)
{
    public async Task HandleAsync(HttpContext context, RequestDelegate handler, Func<HttpContext, string?>? keyOf)
    {
        // A WebSocket over HTTP/2 or later is a connection, not work with a result. Without the feature nobody can be seen to leave.
        if (HttpMethods.IsConnect(context.Request.Method) || context.Features.Get<IClientAbortFeature>() is not { } abort)
        {
            await handler(context).ConfigureAwait(false);
            return;
        }

        if (!TryGetKey(context, keyOf, out var sentKey, out var problem))
        {
            recorder.RecordInvalidKey(context, settings.Options.Adoption.HeaderName, problem!);
            await ResendProblem.InvalidKeyAsync(context, settings.Options.Adoption.HeaderName, problem!).ConfigureAwait(false);
            return;
        }

        var key = string.IsNullOrEmpty(sentKey) ? null : ResendKey.Bind(context, sentKey);
        if (key is null)
        {
            if (!string.IsNullOrEmpty(sentKey))
            {
                recorder.RecordUnknownUser(context);
            }

            await handler(context).ConfigureAwait(false);
            return;
        }

        var fingerprint = await BodyFingerprint.ComputeAsync(context.Request, context.RequestAborted).ConfigureAwait(false);
        var request = new ResentRequest(context, abort, handler, registry.Join(key, fingerprint, abort.IsAborted));
        await TakeTurnAsync(request).ConfigureAwait(false);
    }

    private async Task TakeTurnAsync(ResentRequest request)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(request.Abort.ClientAborted, request.Context.RequestAborted);
        var turn = await WaitAsync(request, leaving.Token).ConfigureAwait(false);
        if (turn.IsToRun)
        {
            await LeadAsync(request, turn, leaving.Token).ConfigureAwait(false);
        }
        else if (turn.Answer is { } answer)
        {
            var caller = request.Caller;
            recorder.Record(request.Context, turn);
            await DeliverAsync(request, answer, async isReceived =>
            {
                if (!isReceived)
                {
                    registry.Missed(caller);
                    return;
                }

                registry.Received(caller);
                if (shared is not null && caller.Work.IsKeptElsewhere)
                {
                    await shared.ReceivedAsync(caller.Work.Key, caller.Work.Fingerprint).ConfigureAwait(false);
                }
            }).ConfigureAwait(false);
        }
        else
        {
            await RefuseAsync(request, turn).ConfigureAwait(false);
        }
    }

    private async Task<Turn> WaitAsync(ResentRequest request, CancellationToken leaving)
    {
        if (!request.Caller.Turn.IsCompleted)
        {
            recorder.RecordWait(request.Context);
        }

        try
        {
            return await request.Caller.Turn.WaitAsync(leaving).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (leaving.IsCancellationRequested)
        {
            if (registry.TryLeave(request.Caller))
            {
                request.ThrowIfLeaving();
                throw;
            }

            // Its turn came first, and somebody counts on it.
            return await request.Caller.Turn.ConfigureAwait(false);
        }
    }

    private async Task LeadAsync(ResentRequest request, Turn turn, CancellationToken leaving)
    {
        var (caller, context) = (request.Caller, request.Context);
        var isSettled = false;
        try
        {
            var found = shared is null
                ? turn
                : await request.WhileStayingAsync(shared.FindAsync(caller.Work.Key, caller.Work.Fingerprint, leaving))
                    .ConfigureAwait(false);
            if (found.Answer is { } answer)
            {
                registry.Complete(caller, answer, isReceived: true, isKeptElsewhere: true);
                isSettled = true;
                recorder.Record(context, found);
                await DeliverAsync(request, answer, isReceived => isReceived
                    ? shared!.ReceivedAsync(caller.Work.Key, caller.Work.Fingerprint)
                    : Task.CompletedTask).ConfigureAwait(false);
                return;
            }

            if (!found.IsToRun)
            {
                await RefuseAsync(request, found).ConfigureAwait(false);
                return;
            }

            if (turn.Kind == TurnKind.TakeOver || found.Kind == TurnKind.TakeOver)
            {
                // The first to come runs although its client may have left since; whoever would begin again for nobody need not.
                request.ThrowIfLeaving();
                if (settings.HostStopping.IsCancellationRequested)
                {
                    await ResendProblem.HostStopsAsync(context).ConfigureAwait(false);
                    return;
                }

                recorder.Record(context, new Turn(TurnKind.TakeOver));
            }

            isSettled = await RunAsync(request).ConfigureAwait(false);
        }
        finally
        {
            if (!isSettled)
            {
                registry.Fail(caller);
            }
        }
    }

    // The other machines are told first: whoever becomes the leader here next looks there first.
    private async Task<bool> RunAsync(ResentRequest request)
    {
        var (caller, context) = (request.Caller, request.Context);
        var lease = shared is null
            ? null
            : await shared.AnnounceAsync(caller.Work.Key, caller.Work.Fingerprint).ConfigureAwait(false);
        try
        {
            var limit = settings.Options.Adoption.MaxResultSize;
            var result = await CapturedBody.RunAsync(context, request.Handler, limit).ConfigureAwait(false);
            if (result is null || context.RequestAborted.IsCancellationRequested)
            {
                return false;
            }

            var isReceived = request.IsReceived;
            var isKept = lease is not null
                && await lease.CompleteAsync(result, isMissed: !isReceived || registry.HasWaiter(caller)).ConfigureAwait(false);
            registry.Complete(caller, result, isReceived, isKept);
            return true;
        }
        finally
        {
            if (lease is not null)
            {
                await lease.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private static async Task DeliverAsync(ResentRequest request, CapturedResponse answer, Func<bool, Task> ended)
    {
        var isWritten = false;

        // Runs when the response has been handed over completely, or the client has left.
        request.Context.Response.OnCompleted(() => ended(isWritten && request.IsReceived));
        if (ReferenceEquals(answer, CapturedResponse.NotKept))
        {
            await ResendProblem.NotKeptAsync(request.Context).ConfigureAwait(false);
        }
        else
        {
            await answer.WriteAsync(request.Context).ConfigureAwait(false);
        }

        isWritten = true;
    }

    private Task RefuseAsync(ResentRequest request, Turn turn)
    {
        request.ThrowIfLeaving();
        recorder.Record(request.Context, turn);
        return turn.Kind == TurnKind.Mismatched
            ? ResendProblem.MismatchedAsync(request.Context)
            : ResendProblem.SupersededAsync(request.Context);
    }

    private bool TryGetKey(HttpContext context, Func<HttpContext, string?>? keyOf, out string? key, out string? problem)
    {
        problem = null;
        if (keyOf is not null)
        {
            key = keyOf(context);
            return true;
        }

        key = null;
        return !context.Request.Headers.TryGetValue(settings.Options.Adoption.HeaderName, out var header)
            || ResendKey.TryParse(header, out key, out problem);
    }
}
