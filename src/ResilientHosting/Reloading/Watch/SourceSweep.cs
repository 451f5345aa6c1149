namespace ResilientHosting.Reloading;

/// <summary>A look at all inputs, cheap enough to be taken every second.</summary>
internal sealed class SourceSweep(SourceTree tree)
{
    // Asking the rules of a project costs more than looking at the file, and they don't change.
    private readonly HashSet<string> _noInputs = [];

    public SourceSnapshot Look(SourceSnapshot latest, DateTimeOffset now)
    {
        var listings = tree.WatchRoots().Select(root => new SourceListing(root.Path, root.Recursive));
        return latest.TryRetake(listings, IsNoInput, now) ?? latest.Retake(tree.Enumerate(), now);
    }

    private bool IsNoInput(ReadOnlySpan<char> path)
    {
        if (_noInputs.GetAlternateLookup<ReadOnlySpan<char>>().Contains(path))
        {
            return true;
        }

        var name = path.ToString();
        return !tree.Takes(name) && _noInputs.Add(name);
    }
}
