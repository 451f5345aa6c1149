namespace ResilientHosting.Reloading;

internal static partial class DevReloaderLog
{
    [LoggerMessage(EventIds.Reloading, LogLevel.Information, "The dev reloader is off: {Reason}.", EventName = "DevReloaderOff")]
    public static partial void Off(ILogger logger, string reason);
}
