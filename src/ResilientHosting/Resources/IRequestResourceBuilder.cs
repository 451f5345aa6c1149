namespace ResilientHosting.Resources;

/// <summary>Configures one request-scoped resource.</summary>
/// <typeparam name="T">The type of the resource.</typeparam>
public interface IRequestResourceBuilder<T>
    where T : class
{
    /// <summary>The services the resource is registered in.</summary>
    IServiceCollection Services { get; }

    /// <summary>The key for <see cref="FromKeyedServicesAttribute"/>; <see langword="null"/> if the resource has none.</summary>
    string? Name { get; }
}
