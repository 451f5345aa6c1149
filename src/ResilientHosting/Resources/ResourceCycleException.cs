namespace ResilientHosting.Resources;

/// <summary>Resources whose factories need one another, so that none can ever be created.</summary>
public sealed class ResourceCycleException : InvalidOperationException
{
    internal ResourceCycleException(IReadOnlyList<string> path)
        : base(
            $"The factories of these resources wait for one another: {string.Join(" → ", path)}. " +
            "Break the circle: let one of them take what both need from a third resource.")
    {
        Path = path;
    }

    /// <summary>The resources in the order in which each asked for the next; the last is the first again.</summary>
    public IReadOnlyList<string> Path { get; }
}
