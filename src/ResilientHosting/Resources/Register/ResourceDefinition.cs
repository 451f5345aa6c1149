namespace ResilientHosting.Resources;

/// <summary>One registered resource in one host: what it is called, where its objects come from, when they go back and in what time.</summary>
internal sealed class ResourceDefinition<T>(string name, ResourceSource<T> source)
    where T : class
{
    public string Name { get; } = name;

    public ResourceSource<T> Source { get; } = source;

    /// <summary>Whether its objects go back when the handler has returned, not after the response.</summary>
    public bool EndsWithHandler { get; init; }

    /// <summary>Whether the end of a request does not wait for the teardown.</summary>
    public bool DetachesTeardown { get; init; }

    /// <summary>The resource's own time limit; <see langword="null"/> where the one for all applies.</summary>
    public TimeSpan? CreateTimeout { get; init; }

    /// <inheritdoc cref="CreateTimeout"/>
    public TimeSpan? TeardownTimeout { get; init; }

    /// <summary>The same resource, with its objects from elsewhere.</summary>
    public ResourceDefinition<T> With(ResourceSource<T> source) => new(Name, source)
    {
        EndsWithHandler = EndsWithHandler,
        DetachesTeardown = DetachesTeardown,
        CreateTimeout = CreateTimeout,
        TeardownTimeout = TeardownTimeout,
    };
}
