namespace ResilientHosting.Resources;

/// <summary>One registered resource in one host: what it is called, where its objects come from and when they go back.</summary>
internal sealed class ResourceDefinition<T>(string name, ResourceSource<T> source, bool endsWithHandler)
    where T : class
{
    public string Name { get; } = name;

    public ResourceSource<T> Source { get; } = source;

    /// <summary>Whether its objects go back when the handler has returned, not after the response.</summary>
    public bool EndsWithHandler { get; } = endsWithHandler;
}
