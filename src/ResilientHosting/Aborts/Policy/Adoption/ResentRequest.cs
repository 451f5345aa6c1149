namespace ResilientHosting.Aborts;

/// <summary>A request with a key, on its way through the adoption.</summary>
internal sealed record ResentRequest(HttpContext Context, IClientAbortFeature Abort, RequestDelegate Handler, ResendRegistry.Caller Caller)
{
    /// <summary>Whether the client was there until everything had been handed over.</summary>
    public bool IsReceived => Abort is not { IsAborted: true, Phase: not ClientAbortPhase.Delivered };

    /// <summary>Ends the request if its client has left or its time is over, by the token that tells which.</summary>
    public void ThrowIfLeaving()
    {
        Abort.ClientAborted.ThrowIfCancellationRequested();
        Context.RequestAborted.ThrowIfCancellationRequested();
    }

    /// <summary>Waits for something that a leaving client ends.</summary>
    public async Task<T> WhileStayingAsync<T>(Task<T> pending)
    {
        try
        {
            return await pending.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            ThrowIfLeaving();
            throw;
        }
    }
}
