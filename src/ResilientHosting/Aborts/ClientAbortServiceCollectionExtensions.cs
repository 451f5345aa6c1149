using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ResilientHosting.Aborts;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the options of client-abort tolerance.</summary>
public static class ClientAbortServiceCollectionExtensions
{
    /// <summary>
    /// Sets the options of client-abort tolerance and validates them when the host starts. Optional:
    /// <c>UseClientAbortTolerance</c> works alone. It also lets <c>UseExceptionHandler</c> recognise aborts where that sits inside
    /// <c>UseClientAbortTolerance</c>; register it before exception handlers of your own. And it ends hub methods of SignalR
    /// quietly whose connection has ended.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Changes the options. Called again, it adds to what was configured before.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddClientAbortTolerance(
        this IServiceCollection services, Action<ClientAbortOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<ClientAbortOptions>().ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ClientAbortOptions>, ClientAbortOptionsValidator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IExceptionHandler, AbortExceptionHandler>());

        // First in the list is outermost: the application's own filters see the cancellation.
        if (!services.Any(static service => service.ImplementationType == typeof(HubAbortFilter.Setup)))
        {
            services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<HubOptions>, HubAbortFilter.Setup>());
        }

        return services;
    }
}
