using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Reloading;

[assembly: HostingStartup(typeof(DevReloaderHostingStartup))]

namespace ResilientHosting.Reloading;

/// <summary>Switches the reloader on without a line of code, when <c>ASPNETCORE_HOSTINGSTARTUPASSEMBLIES</c> names this assembly.</summary>
internal sealed class DevReloaderHostingStartup : IHostingStartup
{
    public void Configure(IWebHostBuilder builder)
    {
        // What a hosting startup registers comes first, before there is a server to join. So this waits until the host is built.
        HostEvents? events = null;
        events = new HostEvents(
            Generation.Current,
            building: host => host.ConfigureServices((context, services) =>
            {
                if (context.HostingEnvironment.IsDevelopment() && services.Any(service => service.ServiceType == typeof(IServer)))
                {
                    services.AddDevReloader();
                    services.TryAddEnumerable(ServiceDescriptor.Transient<IStartupFilter, StartupFilter>());
                }
            }),
            built: host =>
            {
                // A program may build a host without a web server first.
                if (host.Services.GetService<IServer>() is not null)
                {
                    events!.Dispose();
                }
            });
    }

    private sealed class StartupFilter : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            // A call in the application comes first: it may set options.
            next(app);
            app.UseDevReloader();
        };
    }
}
