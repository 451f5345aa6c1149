namespace ResilientHosting.Aborts;

/// <summary>Work can only be adopted if it outlives its client.</summary>
internal static class AdoptionPolicy
{
    /// <summary>The policy of an endpoint that adopts: its own, else the default one, which must not be to cancel.</summary>
    /// <exception cref="InvalidOperationException">The endpoint's own policy is to cancel.</exception>
    public static ClientAbortPolicy Resolve(Endpoint endpoint, ClientAbortPolicy? own, ClientAbortPolicy byDefault)
    {
        if (own is { Behavior: ClientAbortBehavior.Cancel })
        {
            throw new InvalidOperationException(
                $"The endpoint \"{endpoint.DisplayName}\" cancels its work when its client leaves, and is to let a resent request "
                + "adopt that work. Remove CancelOnClientAbort or AdoptOnResend, or choose RunToCompletionOnClientAbort or "
                + "CompleteOnClientAbort.");
        }

        return own ?? (byDefault.Behavior == ClientAbortBehavior.Cancel ? ClientAbortPolicy.RunToCompletion : byDefault);
    }
}
