using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

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
    private string? _section;
    private string? _databaseSystem;
    private bool _hasHealthCheck;
    private bool _endsWithHandler;

    /// <summary>Makes the source of the objects from the resource as it is for one object and one scope.</summary>
    private Func<IServiceProvider, ResourceDefinition<T>, ResourceSource<T>> _createSource = (_, perScope) => perScope.Source;

    public IServiceCollection Services { get; } = services;

    public string? Name { get; } = name;

    private string OptionsName => Name ?? Options.DefaultName;

    public IRequestResourceBuilder<T> UsePool(Action<ResourcePoolOptions<T>>? configure = null)
    {
        Choose(nameof(UsePool), (provider, perScope) => new PoolSource<T>(provider, perScope, Name, _databaseSystem));
        var options = Services.AddOptions<ResourcePoolOptions<T>>(OptionsName).ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        Services.AddSingleton<IValidateOptions<ResourcePoolOptions<T>>>(provider =>
            new ResourcePoolOptionsValidator<T>(Name, provider.GetKeyedService<PoolConfiguration<T>>(Name)));
        Services.AddSingleton<IHostedService>(provider => new PoolOperation<T>(provider, Name));
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

    public IRequestResourceBuilder<T> BindConfiguration(string section)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(section);
        if (_section is not null)
        {
            return _section == section ? this : throw new InvalidOperationException(
                $"The pool of {ResourceName.Of<T>(Name)} is bound to the configuration section {_section} already, and {section} would be " +
                "a second one. Keep one.");
        }

        _section = section;
        RequirePool(nameof(BindConfiguration));
        Services.AddKeyedSingleton(
            Name, (provider, _) => new PoolConfiguration<T>(provider.GetRequiredService<IConfiguration>(), section, Name));
        Services.AddSingleton<IPostConfigureOptions<ResourcePoolOptions<T>>>(
            provider => provider.GetRequiredKeyedService<PoolConfiguration<T>>(Name));
        Services.AddSingleton<IValidateOptions<ResourcePoolOptions<T>>>(
            provider => provider.GetRequiredKeyedService<PoolConfiguration<T>>(Name));
        return this;
    }

    public IRequestResourceBuilder<T> EmitDbClientMetrics(string system)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(system);
        _databaseSystem = system;
        RequirePool(nameof(EmitDbClientMetrics));
        return this;
    }

    public IRequestResourceBuilder<T> AddHealthCheck()
    {
        if (!_hasHealthCheck)
        {
            _hasHealthCheck = true;
            Services.AddHealthChecks().Add(new HealthCheckRegistration(
                $"resource:{ResourceName.Of<T>(Name)}",
                provider => new ResourceHealthCheck<T>(provider, Name),
                failureStatus: null,
                tags: null));
        }

        return this;
    }

    public IRequestResourceBuilder<T> ReleaseAfterHandler()
    {
        _endsWithHandler = true;
        Services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, HandlerReleaseStartupFilter>());
        return this;
    }

    public ResourceDefinition<T> Build(IServiceProvider services)
    {
        var perScope = new ResourceDefinition<T>(ResourceName.Of<T>(Name), new PerRequestSource<T>(create, teardown), endsWithHandler: false);
        return new ResourceDefinition<T>(perScope.Name, _createSource(services, perScope), _endsWithHandler);
    }

    /// <summary>Whether there is one is known only when everything is registered.</summary>
    private void RequirePool(string verb) => Services
        .AddOptions<ResourcePoolOptions<T>>(OptionsName)
        .Validate(
            _ => _strategy == nameof(UsePool),
            $"{verb} is said of resource {ResourceName.Of<T>(Name)}, which has no pool. Add UsePool(), or remove {verb}.")
        .ValidateOnStart();

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
