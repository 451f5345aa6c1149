using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Reloading;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the development reloader.</summary>
public static class DevReloaderServiceCollectionExtensions
{
    /// <summary>
    /// Prepares the host for the development reloader, so that even its first reload drops no connection, and registers
    /// <see cref="IDevReloader"/>. Call <c>app.UseDevReloader()</c> as well: that is what switches it on. In a host without a web server,
    /// which has no such call, this one is enough.
    /// </summary>
    /// <remarks>Outside the Development environment nothing but the inert <see cref="IDevReloader"/> is registered.</remarks>
    /// <param name="services">The services of the application, before its host is built.</param>
    /// <param name="configure">Sets options.</param>
    /// <returns>The value of <paramref name="services"/>.</returns>
    public static IServiceCollection AddDevReloader(this IServiceCollection services, Action<DevReloaderOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);

        services.TryAddSingleton<IDevReloader, DevReloaderHandle>();
        var environment = services.LastOrDefault(service => service.ServiceType == typeof(IHostEnvironment))?.ImplementationInstance;
        if (environment is not IHostEnvironment known || !known.IsDevelopment())
        {
            return services;
        }

        services.AddOptionsWithValidateOnStart<DevReloaderOptions, DevReloaderOptionsValidator>();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, WorkerStart>());

        // Later generations are joined by the supervisor, whether or not their Program.cs still calls this method.
        if (DevReloaderFeature.IsSupported
            && Generation.Current is null
            && services.All(service => service.ServiceType != typeof(InitialGeneration))
            && Prerequisites.FindWhyProcessIsNeverReloaded() is null
            && IsEnabled(configure))
        {
            InitialGeneration.Join(services);
        }

        return services;
    }

    private static bool IsEnabled(Action<DevReloaderOptions>? configure)
    {
        var options = new DevReloaderOptions();
        configure?.Invoke(options);
        return options.Enabled;
    }
}
