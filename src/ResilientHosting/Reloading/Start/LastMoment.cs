using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;

namespace ResilientHosting.Reloading;

/// <summary>
/// Calls back when a host's services are complete but its container isn't built yet. A <c>ConfigureServices</c> of a start-up class comes
/// too late to hear of the host being built, and too early to see a server that is registered behind it. But the container's factory
/// comes last, and the one of <c>Host.CreateDefaultBuilder</c> asks for the environment.
/// </summary>
internal sealed class LastMoment(IHostEnvironment environment, Action callback) : IHostEnvironment
{
    public string EnvironmentName
    {
        get
        {
            // Others ask as well, and earlier: the callback has to bear being called more than once.
            callback();
            return environment.EnvironmentName;
        }
        set => environment.EnvironmentName = value;
    }

    public string ApplicationName
    {
        get => environment.ApplicationName;
        set => environment.ApplicationName = value;
    }

    public string ContentRootPath
    {
        get => environment.ContentRootPath;
        set => environment.ContentRootPath = value;
    }

    public IFileProvider ContentRootFileProvider
    {
        get => environment.ContentRootFileProvider;
        set => environment.ContentRootFileProvider = value;
    }

    /// <summary>Waits for the last moment of the host that these services belong to.</summary>
    public static void Await(IServiceCollection services, Action callback)
    {
        var context = services.Select(service => service.ImplementationInstance).OfType<HostBuilderContext>().LastOrDefault();
        if (context is not null)
        {
            context.HostingEnvironment = new LastMoment(context.HostingEnvironment, callback);
        }
    }
}
