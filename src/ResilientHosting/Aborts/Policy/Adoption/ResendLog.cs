namespace ResilientHosting.Aborts;

/// <summary>The log lines about requests that are sent again.</summary>
internal static partial class ResendLog
{
    [LoggerMessage(
        EventIds.Aborts + 30,
        LogLevel.Debug,
        "{Method} {Route} was sent again with a known key: {Outcome}.",
        EventName = "RequestResent")]
    public static partial void Resent(ILogger logger, string method, string route, string outcome);

    [LoggerMessage(
        EventIds.Aborts + 31,
        LogLevel.Debug,
        "{Method} {Route} was refused with 400: its header {Header} is no usable key, because {Problem}.",
        EventName = "ResendKeyInvalid")]
    public static partial void KeyInvalid(ILogger logger, string method, string route, string header, string problem);

    [LoggerMessage(
        EventIds.Aborts + 32,
        LogLevel.Debug,
        "{Method} {Route} has a key, but runs on its own: its user is authenticated without a name or an identifier.",
        EventName = "ResendUserUnknown")]
    public static partial void UserUnknown(ILogger logger, string method, string route);

    [LoggerMessage(
        EventIds.Aborts + 33,
        LogLevel.Warning,
        "The distributed cache failed or took longer than {Timeout}, so a request that reaches another machine than the one before "
        + "runs its work again; {Failures} operations failed since this was said last. Check the cache; work inside one process is not "
        + "affected.",
        EventName = "AdoptionCacheFailed")]
    public static partial void CacheFailed(ILogger logger, Exception exception, TimeSpan timeout, long failures);

    [LoggerMessage(
        EventIds.Aborts + 34,
        LogLevel.Debug,
        "{Method} {Route} was sent again with a known key and waits for the result of the work that runs.",
        EventName = "ResendWaits")]
    public static partial void Waits(ILogger logger, string method, string route);

    [LoggerMessage(
        EventIds.Aborts + 35,
        LogLevel.Debug,
        "A request that was sent again waits for the result of work that runs in another process, {Owner}.",
        EventName = "ResendWaitsForOtherProcess")]
    public static partial void WaitsForOtherProcess(ILogger logger, Guid owner);
}
