using System.IO.Enumeration;

namespace ResilientHosting.Reloading;

/// <summary>A look at the static files of folders whose file systems don't tell of every change.</summary>
internal sealed class StaticFileSweep
{
    private Dictionary<string, Dictionary<string, FileStat>> _latest = [];

    /// <summary>Finds the files that are new, or look otherwise than at the last look, in folders that were looked at then.</summary>
    public List<string> Look(IReadOnlyCollection<SourceFolder> folders)
    {
        var latest = new Dictionary<string, Dictionary<string, FileStat>>();
        var changed = new List<string>();
        foreach (var folder in folders)
        {
            if (TryRead(folder) is { } files)
            {
                latest[folder.Path] = files;
                if (_latest.TryGetValue(folder.Path, out var before))
                {
                    changed.AddRange(files.Where(file => !before.TryGetValue(file.Key, out var stat) || stat != file.Value).Select(file => file.Key));
                }
            }
        }

        _latest = latest;
        return changed;
    }

    /// <returns>Null if the folder can't be read, or is gone.</returns>
    private static Dictionary<string, FileStat>? TryRead(SourceFolder folder)
    {
        try
        {
            return new Dictionary<string, FileStat>(new FileSystemEnumerable<KeyValuePair<string, FileStat>>(
                folder.Path,
                static (ref entry) => new(entry.ToFullPath(), FileStat.Of(ref entry)),
                new EnumerationOptions { RecurseSubdirectories = folder.Extent == FolderExtent.Tree, AttributesToSkip = 0 })
            {
                ShouldIncludePredicate = static (ref entry) => !entry.IsDirectory,
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
