namespace ResilientHosting.Resources;

/// <summary>Configures one request-scoped resource.</summary>
/// <typeparam name="T">The type of the resource.</typeparam>
public interface IRequestResourceBuilder<T>
    where T : class
{
    /// <summary>The services the resource is registered in.</summary>
    IServiceCollection Services { get; }

    /// <summary>The name of the resource, its key for <see cref="FromKeyedServicesAttribute"/>; <see langword="null"/> if it has none.</summary>
    string? Name { get; }
}
