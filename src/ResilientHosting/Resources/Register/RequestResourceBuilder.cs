using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ResilientHosting.Resources;

/// <summary>What is known of a resource while services are being registered; <see cref="Build"/> makes it final for one host.</summary>
internal sealed class RequestResourceBuilder<T>(
    IServiceCollection services,
    string? name,
    Func<ResourceContext, CancellationToken, ValueTask<T>> create,
    Func<T, TeardownContext, ValueTask> teardown) : IRequestResourceBuilder<T>
    where T : class
{
    private bool _endsWithHandler;

    public IServiceCollection Services { get; } = services;

    public string? Name { get; } = name;

    /// <summary>Makes the source of the objects. The strategy verbs replace it; both delegates stay what the user gave.</summary>
    public Func<IServiceProvider, ResourceSource<T>> CreateSource { get; set; } = _ => new PerRequestSource<T>(create, teardown);

    public IRequestResourceBuilder<T> ReleaseAfterHandler()
    {
        _endsWithHandler = true;
        Services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, HandlerReleaseStartupFilter>());
        return this;
    }

    public ResourceDefinition<T> Build(IServiceProvider services) => new(ResourceName.Of<T>(Name), CreateSource(services), _endsWithHandler);
}
