namespace ResilientHosting.Aborts;

internal static class GuardedCancellation
{
    /// <summary>
    /// Cancels on a timer's or the server's thread, where an exception of somebody's cancellation callback would end the process
    /// or be blamed on the server. Such a callback is a genuine bug, and is reported as one.
    /// </summary>
    public static void CancelGuarded(this CancellationTokenSource source, ILogger logger)
    {
        try
        {
            source.Cancel();
        }
        catch (AggregateException exception)
        {
            ClientAbortLog.CancellationCallbackFailed(logger, exception);
        }
    }
}
