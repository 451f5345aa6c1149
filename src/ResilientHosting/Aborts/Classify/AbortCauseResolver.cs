namespace ResilientHosting.Aborts;

/// <summary>What was true at the moment the server's token fired.</summary>
internal readonly record struct AbortCircumstances(
    bool AbortedByApplication,
    bool RequestTimedOut,
    bool BodyCutByClient,
    bool HostStopping,
    bool BodyTooSlow,
    bool IsMultiplexed,
    bool ConnectionClosed);

/// <summary>
/// Names the cause of an abort. Whatever the server itself may have done comes first, so that the client is blamed only for what
/// nobody else can have done: during shutdown the host gets the benefit of the doubt, unless the client was seen to cut its body.
/// </summary>
internal static class AbortCauseResolver
{
    public static ClientAbortCause Resolve(in AbortCircumstances circumstances) => circumstances switch
    {
        { AbortedByApplication: true } => ClientAbortCause.Application,
        { RequestTimedOut: true } => ClientAbortCause.RequestTimeout,
        { HostStopping: true, BodyCutByClient: false } => ClientAbortCause.HostShutdown,
        { BodyTooSlow: true } => ClientAbortCause.SlowClient,
        { IsMultiplexed: true, ConnectionClosed: false } => ClientAbortCause.ClientStreamReset,
        _ => ClientAbortCause.Client,
    };
}
