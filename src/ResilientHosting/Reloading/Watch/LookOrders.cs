namespace ResilientHosting.Reloading;

/// <summary>What the next look is to look at: files that events named, folders that a sweep is due for, everything.</summary>
internal sealed class LookOrders
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _files = [];
    private bool _polled;
    private bool _all;
    private bool _folders;
    private bool _isSweep = true;

    public void LookAt(params IEnumerable<string> files)
    {
        lock (_lock)
        {
            _files.UnionWith(files);
        }
    }

    /// <summary>Something happened of which only a look at all files tells what it was.</summary>
    public void LookAtAll(bool andAtFolders = false)
    {
        lock (_lock)
        {
            _all = true;
            _folders |= andAtFolders;
            _isSweep = false;
        }
    }

    /// <summary>Nothing is known to have happened.</summary>
    public void Sweep(bool all)
    {
        lock (_lock)
        {
            _all |= all;
            _polled = true;
        }
    }

    /// <summary>Hands the orders out, and begins new ones.</summary>
    public LookOrder Take()
    {
        lock (_lock)
        {
            var order = new LookOrder([.. _files], _polled, _all, _folders, _isSweep);
            _files.Clear();
            _polled = _all = _folders = false;
            _isSweep = true;
            return order;
        }
    }
}

/// <param name="Files">Files to be read.</param>
/// <param name="Polled">Whether to look at the files of which no events tell.</param>
/// <param name="All">Whether to look at all files.</param>
/// <param name="Folders">Whether folders have come or gone.</param>
/// <param name="IsSweep">Whether nothing is known to have happened beside what was named.</param>
internal readonly record struct LookOrder(IReadOnlyList<string> Files, bool Polled, bool All, bool Folders, bool IsSweep);
