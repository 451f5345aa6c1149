namespace ResilientHosting.Resources;

/// <summary>A resource as one scope hands it out.</summary>
internal abstract class BoundResource(object definition) : IChained<BoundResource>
{
    public object Definition { get; } = definition;

    public BoundResource? Older { get; set; }
}
