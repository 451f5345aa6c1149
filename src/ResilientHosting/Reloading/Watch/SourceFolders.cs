using System.Diagnostics.CodeAnalysis;

namespace ResilientHosting.Reloading;

/// <summary>All folders that are watched: no file belongs to two of them.</summary>
internal sealed class SourceFolders
{
    private readonly Dictionary<string, SourceFolder> _folders = [];
    private readonly HashSet<string> _leftOut = [];

    public static SourceFolders None { get; } = new();

    public IReadOnlyCollection<SourceFolder> All => _folders.Values;

    public void Add(SourceFolder folder) => _folders.TryAdd(folder.Path, folder);

    /// <summary>Says that a folder was seen and is not to be watched.</summary>
    public void LeaveOut(string folder) => _leftOut.Add(folder);

    /// <summary>Whether a folder was there when the folders were listed.</summary>
    public bool Knows(ReadOnlySpan<char> folder) =>
        _folders.GetAlternateLookup<ReadOnlySpan<char>>().ContainsKey(folder) || _leftOut.GetAlternateLookup<ReadOnlySpan<char>>().Contains(folder);

    /// <summary>Finds the folder with which a file is watched.</summary>
    public bool TryFindOwner(ReadOnlySpan<char> file, [NotNullWhen(true)] out SourceFolder? owner)
    {
        var folders = _folders.GetAlternateLookup<ReadOnlySpan<char>>();
        var parent = Path.GetDirectoryName(file);
        for (var above = parent; !above.IsEmpty; above = Path.GetDirectoryName(above))
        {
            if (folders.TryGetValue(above, out owner))
            {
                return owner.Extent == FolderExtent.Tree || above.Length == parent.Length;
            }
        }

        owner = null;
        return false;
    }
}
