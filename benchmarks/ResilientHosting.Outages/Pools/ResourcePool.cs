using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHosting.Resources;

namespace ResilientHosting.Outages;

/// <summary>This library, as an application uses it: a host, a pooled resource, a scope for each piece of work.</summary>
internal sealed class ResourcePool<T> : IPool<T>
    where T : class
{
    private readonly IHost _host;

    private ResourcePool(IHost host) => _host = host;

    public string Name => "ResilientHosting";

    public static async Task<ResourcePool<T>> StartAsync(
        Func<CancellationToken, ValueTask<T>> create, Action<ResourcePoolOptions<T>> configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.AddRequestScopedResource((_, token) => create(token)).UsePool(configure);
        var host = builder.Build();
        await host.StartAsync();
        return new ResourcePool<T>(host);
    }

    public Task UseAsync(Func<T, Task> work) =>
        _host.Services.RunInResourceScopeAsync("outage", async (scope, token) => await work(await scope.GetAsync<T>(token)));

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
