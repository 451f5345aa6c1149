namespace ResilientHosting.Reloading;

internal static partial class DevReloaderLog
{
    public static void Off(IServiceProvider services, string reason) =>
        Off(services.GetRequiredService<ILoggerFactory>().CreateLogger("ResilientHosting.DevReloader"), reason);

    [LoggerMessage(EventIds.Reloading, LogLevel.Information, "The dev reloader is off: {Reason}.", EventName = "DevReloaderOff")]
    private static partial void Off(ILogger logger, string reason);
}
