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
    private static readonly Func<IServiceProvider, ResourceDefinition<T>, ResourceSource<T>> OnePerScope = (_, perScope) => perScope.Source;

    private Func<ResourceContext, CancellationToken, ValueTask<T>> _create = create;
    private Func<T, TeardownContext, ValueTask> _teardown = teardown;
    private string? _strategy;
    private string? _section;
    private string? _databaseSystem;
    private bool _hasHealthCheck;
    private bool _endsWithHandler;
    private TimeSpan? _createTimeout;
    private TimeSpan? _teardownTimeout;
    private bool _detachesTeardown;

    /// <summary>Makes the source of the objects from the resource as it is for one object and one scope.</summary>
    private Func<IServiceProvider, ResourceDefinition<T>, ResourceSource<T>> _createSource = OnePerScope;

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
        Services.AddKeyedSingleton<IResourcePool<T>>(Name, (provider, _) => PoolOf(provider));
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

    public IRequestResourceBuilder<T> WithCreateTimeout(TimeSpan timeout)
    {
        _createTimeout = InRange(timeout);
        return this;
    }

    public IRequestResourceBuilder<T> WithTeardownTimeout(TimeSpan timeout)
    {
        InRange(timeout);
        if (_teardownTimeout is null)
        {
            Services.AddSingleton<IValidateOptions<RequestResourceOptions>>(
                new TeardownTimeoutValidator(ResourceName.Of<T>(Name), () => _teardownTimeout.GetValueOrDefault()));
        }

        _teardownTimeout = timeout;
        return this;
    }

    public IRequestResourceBuilder<T> DetachTeardown()
    {
        _detachesTeardown = true;
        return this;
    }

    /// <summary>Puts other delegates in the place of the given ones, and one object per scope in the place of the strategy.</summary>
    public void Replace(Func<ResourceContext, CancellationToken, ValueTask<T>> create, Func<T, TeardownContext, ValueTask> teardown)
    {
        _create = create;
        _teardown = teardown;
        _createSource = OnePerScope;
    }

    public ResourceDefinition<T> Build(IServiceProvider services)
    {
        var perScope = Define(new PerRequestSource<T>(_create, _teardown), endsWithHandler: false);
        return Define(_createSource(services, perScope), _endsWithHandler);
    }

    /// <summary>Whether there is one is known only when everything is registered.</summary>
    private void RequirePool(string verb) => Services
        .AddOptions<ResourcePoolOptions<T>>(OptionsName)
        .Validate(
            _ => _strategy == nameof(UsePool),
            $"{verb} is said of resource {ResourceName.Of<T>(Name)}, which has no pool. Add UsePool(), or remove {verb}.")
        .ValidateOnStart();

    private static TimeSpan InRange(TimeSpan timeout) => timeout > TimeSpan.Zero && timeout <= RequestResourceOptionsValidator.Longest
        ? timeout
        : throw new ArgumentOutOfRangeException(
            nameof(timeout), timeout, $"A time limit is more than zero and at most {RequestResourceOptionsValidator.Longest:c}.");

    private ResourceDefinition<T> Define(ResourceSource<T> source, bool endsWithHandler) => new(ResourceName.Of<T>(Name), source)
    {
        EndsWithHandler = endsWithHandler,
        CreateTimeout = _createTimeout,
        TeardownTimeout = _teardownTimeout,
        DetachesTeardown = _detachesTeardown,
    };

    private ResourcePool<T> PoolOf(IServiceProvider provider) => PoolSource<T>.Find(provider, Name)
        ?? throw new InvalidOperationException(
            $"Resource {ResourceName.Of<T>(Name)} has no pool any more: ReplaceResource gives every scope an object of its own. Replace " +
            "what asks for the pool too.");

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
