namespace ResilientHosting.Resources;

/// <summary>A resource as one scope hands it out. The scope keeps its resources in a chain.</summary>
internal abstract class BoundResource(object definition)
{
    public object Definition { get; } = definition;

    public BoundResource? Next { get; init; }
}
