namespace ResilientHosting.Reloading;

/// <summary>The one way from an application into the reloader, and the place where trimming ends it.</summary>
internal static class DevReloaderStart
{
    public static void Start(IServiceProvider services, IApplicationBuilder? app, Action<DevReloaderOptions>? configure)
    {
        if (DevReloaderFeature.IsSupported)
        {
            Supervisor.Use(services, app, configure);
        }
        else
        {
            DevReloaderLog.Off(services, "the application is published trimmed or ahead of time, or the switch ResilientHosting.DevReloader.IsSupported is false");
        }
    }
}
