namespace ResilientHosting.Resources;

/// <summary>One registered resource in one host: what it is called and where its objects come from.</summary>
internal sealed class ResourceDefinition<T>(string name, ResourceSource<T> source)
    where T : class
{
    public string Name { get; } = name;

    public ResourceSource<T> Source { get; } = source;
}
