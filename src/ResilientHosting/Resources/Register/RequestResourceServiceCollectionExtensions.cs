using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ResilientHosting.Resources;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers request-scoped resources.</summary>
public static class RequestResourceServiceCollectionExtensions
{
    /// <summary>
    /// Registers a resource that is created once per request, on first use, and torn down when the request has ended. Take it as
    /// <see cref="IRequestResource{T}"/>, or as <see cref="Resource{T}"/> in a minimal-API handler.
    /// </summary>
    /// <typeparam name="T">The type of the resource.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="create">
    /// Creates the resource. Its token is cancelled when <see cref="RequestResourceOptions.CreateTimeout"/> has passed or the scope ends,
    /// not when the client goes away.
    /// </param>
    /// <param name="teardown">
    /// Ends the resource's life, including its disposal. Without one the object is disposed of through <see cref="IAsyncDisposable"/> or
    /// <see cref="IDisposable"/>, if it implements either.
    /// </param>
    /// <exception cref="InvalidOperationException">A resource of this type is already registered without a name.</exception>
    public static IRequestResourceBuilder<T> AddRequestScopedResource<T>(
        this IServiceCollection services,
        Func<ResourceContext, CancellationToken, ValueTask<T>> create,
        Func<T, TeardownContext, ValueTask>? teardown = null)
        where T : class => Add(services, name: null, create, teardown);

    /// <summary>
    /// Registers a named resource, one of several of its type. Take it as
    /// <c>[FromKeyedServices("name")] </c><see cref="IRequestResource{T}"/>.
    /// </summary>
    /// <inheritdoc cref="AddRequestScopedResource{T}(IServiceCollection, Func{ResourceContext, CancellationToken, ValueTask{T}}, Func{T, TeardownContext, ValueTask}?)"/>
    /// <param name="services">The services.</param>
    /// <param name="name">The key of the resource.</param>
    /// <param name="create">Creates the resource.</param>
    /// <param name="teardown">Ends the resource's life, including its disposal.</param>
    /// <exception cref="InvalidOperationException">A resource of this type and name is already registered.</exception>
    public static IRequestResourceBuilder<T> AddRequestScopedResource<T>(
        this IServiceCollection services,
        string name,
        Func<ResourceContext, CancellationToken, ValueTask<T>> create,
        Func<T, TeardownContext, ValueTask>? teardown = null)
        where T : class
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return Add(services, name, create, teardown);
    }

    /// <summary>Registers a resource with a synchronous factory; it is disposed of when the request has ended.</summary>
    /// <typeparam name="T">The type of the resource.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="create">Creates the resource from the services of the request.</param>
    /// <exception cref="InvalidOperationException">A resource of this type is already registered without a name.</exception>
    public static IRequestResourceBuilder<T> AddRequestScopedResource<T>(
        this IServiceCollection services, Func<IServiceProvider, T> create)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(create);
        return Add(services, name: null, (context, _) => new ValueTask<T>(create(context.Services)), teardown: null);
    }

    /// <summary>
    /// Registers a resource built by its constructor, with arguments from the services of the request; it is disposed of when the request
    /// has ended.
    /// </summary>
    /// <typeparam name="T">The type of the resource.</typeparam>
    /// <param name="services">The services.</param>
    /// <exception cref="InvalidOperationException">A resource of this type is already registered without a name.</exception>
    public static IRequestResourceBuilder<T> AddRequestScopedResource<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(this IServiceCollection services)
        where T : class
    {
        var factory = ActivatorUtilities.CreateFactory<T>([]);
        return services.AddRequestScopedResource(provider => factory(provider, arguments: null));
    }

    private static RequestResourceBuilder<T> Add<T>(
        IServiceCollection services,
        string? name,
        Func<ResourceContext, CancellationToken, ValueTask<T>> create,
        Func<T, TeardownContext, ValueTask>? teardown)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(create);
        if (services.Any(service => service.ServiceType == typeof(IRequestResource<T>) && Equals(service.ServiceKey, name)))
        {
            throw new InvalidOperationException(
                $"A request-scoped resource {ResourceName.Of<T>(name)} is already registered. Remove one of the two, or give this one " +
                "another name: AddRequestScopedResource(\"name\", …).");
        }

        AddCore(services);

        var builder = new RequestResourceBuilder<T>(services, name, create, teardown ?? Teardown.DisposeAsync);
        services.AddKeyedSingleton(name, builder);
        services.AddKeyedSingleton(name, (provider, _) => builder.Build(provider));
        services.AddKeyedTransient(name, (provider, _) => ResourceResolution.Resolve<T>(provider, name));
        return builder;
    }

    private static void AddCore(IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(ResourceEnvironment)))
        {
            return;
        }

        services.AddMetrics().AddLogging().AddHttpContextAccessor();
        services.AddOptions<RequestResourceOptions>().ValidateOnStart();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<RequestResourceOptions>, RequestResourceOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ResourceMetrics>();
        services.AddSingleton<HeldResourceWatch>();
        services.AddSingleton<ResourceEnvironment>();
        services.AddSingleton<HostScope>();
        services.AddHostedService(static provider => provider.GetRequiredService<HostScope>());
        services.AddScoped<ResourceStack>();

        services.AddSingleton<IConfigureOptions<MvcOptions>, HandlerReleaseMvcFilter.Setup>();

        // First in the list is outermost, in the pipeline and among the filters of a hub.
        services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, ResourceStartupFilter>());
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<HubOptions>, HubScopeFilter.Setup>());
    }
}
