using ResilientHosting.Reloading;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Switches the development reloader on.</summary>
public static class DevReloaderApplicationBuilderExtensions
{
    /// <summary>
    /// Restarts the application inside this process whenever a source file is saved, and holds requests meanwhile, so that none fails.
    /// Does nothing outside the Development environment; where it is off it says why, once, in the log.
    /// </summary>
    /// <param name="app">The application. Call this anywhere between building and running it.</param>
    /// <param name="configure">Sets options, on top of those given to <c>AddDevReloader</c>.</param>
    /// <returns>The value of <paramref name="app"/>.</returns>
    /// <exception cref="OptionsValidationException">An option is out of range; the message lists every such option.</exception>
    public static IApplicationBuilder UseDevReloader(this IApplicationBuilder app, Action<DevReloaderOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(app);

        // A hosting startup calls this as well, behind the application's own call.
        if (app.Properties.TryAdd("ResilientHosting.DevReloader", true))
        {
            DevReloaderStart.Start(app.ApplicationServices, app, configure);
        }
        else
        {
            configure?.Invoke(app.ApplicationServices.GetRequiredService<IOptions<DevReloaderOptions>>().Value);
        }

        return app;
    }
}
