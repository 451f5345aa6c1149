namespace ResilientHosting.Resources;

/// <summary>Marks an endpoint whose requests keep no resource beyond the handler.</summary>
internal sealed class ReleaseResourcesAfterHandlerMetadata
{
    public override string ToString() => "Releases resources after the handler";
}
