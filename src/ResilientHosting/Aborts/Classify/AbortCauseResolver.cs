namespace ResilientHosting.Aborts;

/// <summary>
/// What was true at the moment the server's token fired. The end is <see langword="null"/> without the connection hook.
/// </summary>
internal readonly record struct AbortCircumstances(
    bool AbortedByApplication,
    bool RequestTimedOut,
    bool BodyCutByClient,
    bool HostStopping,
    bool BodyTooSlow,
    bool IsMultiplexed,
    bool ConnectionClosed,
    ConnectionEnd? End);

/// <summary>
/// Names the cause of an abort. Whatever the server itself may have done comes first, so that the client is blamed only for what
/// nobody else can have done: during shutdown the host gets the benefit of the doubt, unless the client was seen to leave. A server
/// that ended the connection for none of the other reasons gave up on a client that was too slow.
/// </summary>
internal static class AbortCauseResolver
{
    public static ClientAbortCause Resolve(in AbortCircumstances circumstances) => circumstances switch
    {
        { AbortedByApplication: true } => ClientAbortCause.Application,

        // Before the connection's end: a time-out that strikes during a write ends the connection as the application's token would.
        { RequestTimedOut: true } => ClientAbortCause.RequestTimeout,
        { End: ConnectionEnd.ByApplication } => ClientAbortCause.Application,
        { HostStopping: true } when !WasClientSeenToLeave(circumstances) => ClientAbortCause.HostShutdown,
        { BodyTooSlow: true } or { End: ConnectionEnd.ByServer } => ClientAbortCause.SlowClient,
        { IsMultiplexed: true, ConnectionClosed: false, End: null or ConnectionEnd.Open } => ClientAbortCause.ClientStreamReset,
        _ => ClientAbortCause.Client,
    };

    // The host ends connections only: a stream that ended alone on an open connection was reset by its client.
    private static bool WasClientSeenToLeave(in AbortCircumstances circumstances) =>
        circumstances.BodyCutByClient
        || circumstances.End == ConnectionEnd.ByClient
        || circumstances is { IsMultiplexed: true, End: ConnectionEnd.Open };
}
