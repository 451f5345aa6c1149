namespace ResilientHosting.Resources;

/// <summary>
/// For whom an object that outlives requests is being made: its source, and the object whose factory asked for it. Such objects have
/// scopes of their own, so that a wait-for graph would end at each of them; a source that meets itself in its own lineage is a cycle.
/// </summary>
internal sealed record Lineage(object Source, string Name, Lineage? Parent)
{
    /// <exception cref="ResourceCycleException">An object of the source is being made from itself.</exception>
    public static Lineage Extend(Lineage? parent, object source, string name)
    {
        var path = new List<string> { name };
        for (var ancestor = parent; ancestor is not null; ancestor = ancestor.Parent)
        {
            path.Add(ancestor.Name);
            if (ReferenceEquals(ancestor.Source, source))
            {
                path.Reverse();
                throw new ResourceCycleException(path);
            }
        }

        return new Lineage(source, name, parent);
    }
}
