namespace ResilientHosting.Resources;

/// <summary>What is known of a resource while services are being registered; <see cref="Build"/> makes it final for one host.</summary>
internal sealed class RequestResourceBuilder<T>(
    IServiceCollection services,
    string? name,
    Func<ResourceContext, CancellationToken, ValueTask<T>> create,
    Func<T, TeardownContext, ValueTask> teardown) : IRequestResourceBuilder<T>
    where T : class
{
    private string? _strategy;

    /// <summary>Makes the source of the objects from the resource as it is for one object and one scope.</summary>
    private Func<IServiceProvider, ResourceDefinition<T>, ResourceSource<T>> _createSource = (_, perScope) => perScope.Source;

    public IServiceCollection Services { get; } = services;

    public string? Name { get; } = name;

    public IRequestResourceBuilder<T> UsePool(Action<ResourcePoolOptions<T>>? configure = null)
    {
        Choose(nameof(UsePool), (provider, perScope) => new PoolSource<T>(provider, perScope, Name));
        var options = Services.AddOptions<ResourcePoolOptions<T>>(Name ?? Options.DefaultName).ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        Services.AddSingleton<IValidateOptions<ResourcePoolOptions<T>>>(new ResourcePoolOptionsValidator<T>(Name));
        Services.AddKeyedSingleton<IResourcePool<T>>(
            Name, (provider, _) => ((PoolSource<T>)provider.GetRequiredKeyedService<ResourceDefinition<T>>(Name).Source).Pool);
        return this;
    }

    public IRequestResourceBuilder<T> UseObjectPool(int? maximumRetained = null)
    {
        if (maximumRetained is < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(maximumRetained), maximumRetained, "An object pool retains at least one object.");
        }

        return Choose(nameof(UseObjectPool), (provider, perScope) => new ObjectPoolSource<T>(provider, perScope, maximumRetained));
    }

    public IRequestResourceBuilder<T> SharedPerHost() =>
        Choose(nameof(SharedPerHost), static (provider, perScope) => new SharedSource<T>(provider, perScope));

    public ResourceDefinition<T> Build(IServiceProvider services)
    {
        var perScope = new ResourceDefinition<T>(ResourceName.Of<T>(Name), new PerRequestSource<T>(create, teardown));
        return new ResourceDefinition<T>(perScope.Name, _createSource(services, perScope));
    }

    private RequestResourceBuilder<T> Choose(
        string strategy, Func<IServiceProvider, ResourceDefinition<T>, ResourceSource<T>> createSource)
    {
        if (_strategy is not null)
        {
            throw new InvalidOperationException(
                $"Resource {ResourceName.Of<T>(Name)} has the strategy {_strategy} already, and {strategy} would be a second one. Keep one.");
        }

        _strategy = strategy;
        _createSource = createSource;
        return this;
    }
}
