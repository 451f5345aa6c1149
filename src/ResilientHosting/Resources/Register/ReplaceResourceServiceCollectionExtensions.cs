using ResilientHosting.Resources;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Puts something else in the place of a registered resource, for tests.</summary>
public static class ReplaceResourceServiceCollectionExtensions
{
    /// <summary>
    /// Replaces the factory and the teardown of a registered resource, for example in <c>ConfigureTestServices</c> of a
    /// <c>WebApplicationFactory</c>. The rest of the application uses it as before; whatever strategy was chosen, every scope
    /// gets an object of its own. Time limits stay.
    /// </summary>
    /// <typeparam name="T">The type of the resource.</typeparam>
    /// <param name="services">The services, after the resource was registered.</param>
    /// <param name="create">Creates the object that takes its place.</param>
    /// <param name="teardown">Ends its life. Without one the object is disposed of, if it is disposable.</param>
    /// <exception cref="InvalidOperationException">No resource of this type is registered without a name.</exception>
    public static IServiceCollection ReplaceResource<T>(
        this IServiceCollection services,
        Func<ResourceContext, CancellationToken, ValueTask<T>> create,
        Func<T, TeardownContext, ValueTask>? teardown = null)
        where T : class => Replace(services, name: null, create, teardown);

    /// <inheritdoc cref="ReplaceResource{T}(IServiceCollection, Func{ResourceContext, CancellationToken, ValueTask{T}}, Func{T, TeardownContext, ValueTask}?)"/>
    /// <param name="services">The services, after the resource was registered.</param>
    /// <param name="name">The key of the resource.</param>
    /// <param name="create">Creates the object that takes its place.</param>
    /// <param name="teardown">Ends its life. Without one the object is disposed of, if it is disposable.</param>
    /// <exception cref="InvalidOperationException">No resource of this type and name is registered.</exception>
    public static IServiceCollection ReplaceResource<T>(
        this IServiceCollection services,
        string name,
        Func<ResourceContext, CancellationToken, ValueTask<T>> create,
        Func<T, TeardownContext, ValueTask>? teardown = null)
        where T : class
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return Replace(services, name, create, teardown);
    }

    private static IServiceCollection Replace<T>(
        IServiceCollection services,
        string? name,
        Func<ResourceContext, CancellationToken, ValueTask<T>> create,
        Func<T, TeardownContext, ValueTask>? teardown)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(create);
        var registered = services.FirstOrDefault(
            service => service.ServiceType == typeof(RequestResourceBuilder<T>) && Equals(service.ServiceKey, name));
        var builder = registered?.IsKeyedService == true ? registered.KeyedImplementationInstance : registered?.ImplementationInstance;
        if (builder is not RequestResourceBuilder<T> resource)
        {
            throw new InvalidOperationException(
                $"There is no request-scoped resource {ResourceName.Of<T>(name)} to replace. {Registered(services)} Replace it after " +
                "AddRequestScopedResource: in a WebApplicationFactory, within ConfigureTestServices.");
        }

        resource.Replace(create, teardown ?? Teardown.DisposeAsync);
        return services;
    }

    private static string Registered(IServiceCollection services)
    {
        var names = services
            .Where(service => service.ServiceType.IsConstructedGenericType && service.ServiceType.GetGenericTypeDefinition() == typeof(IRequestResource<>))
            .Select(service => ResourceName.Of(service.ServiceType.GetGenericArguments()[0], service.ServiceKey as string))
            .ToList();
        return names.Count == 0 ? "None is registered at all." : $"Registered are: {string.Join(", ", names)}.";
    }
}
