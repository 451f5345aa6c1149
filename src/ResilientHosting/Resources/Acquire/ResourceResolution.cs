namespace ResilientHosting.Resources;

/// <summary>Finds resources in service providers, and says what is wrong when they cannot be found there.</summary>
internal static class ResourceResolution
{
    public static IRequestResource<T> Require<T>(IServiceProvider services, string? name)
        where T : class =>
        services.GetKeyedService<IRequestResource<T>>(name) ?? throw new InvalidOperationException(
            $"No request-scoped resource {ResourceName.Of<T>(name)} is registered. Register it with " +
            $"services.AddRequestScopedResource<{ResourceName.Of<T>(name: null)}>({(name is null ? "" : $"\"{name}\", ")}…).");

    public static IRequestResource<T> Resolve<T>(IServiceProvider services, string? name)
        where T : class
    {
        // The public interface is registered as transient in front of the scoped stack, so that this check comes before the container's
        // own (Development) or in place of it (Production), where the root would keep the stack for ever.
        if (services.GetRequiredService<ResourceEnvironment>().IsRoot(services))
        {
            throw new InvalidOperationException(
                $"Resource {ResourceName.Of<T>(name)} was asked of the root service provider: by a singleton, a hosted service or " +
                "app.Services. It belongs to a request. Outside one, open a scope with services.RunInResourceScopeAsync(name, body) or " +
                "services.CreateResourceScope(name) and take it from there.");
        }

        return services.GetRequiredService<ResourceStack>().Bind(services.GetRequiredKeyedService<ResourceDefinition<T>>(name));
    }
}
