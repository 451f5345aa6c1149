using System.IO.Enumeration;

namespace ResilientHosting.Reloading;

/// <summary>Sees each file of a folder that may be an input with its time stamp, as the folder is read: half the cost of asking file by file.</summary>
internal sealed record SourceListing(string Directory, bool Recursive)
{
    /// <returns>False to stop.</returns>
    public delegate bool Visitor(ReadOnlySpan<char> path, SourceSnapshot.Stat stat);

    /// <summary>Visits every file in the folder that may be an input by its name, and those below it, until the visitor stops.</summary>
    /// <returns>Whether all were visited.</returns>
    public bool ForEach(Visitor visit)
    {
        // One buffer for all paths: they are only looked up.
        var path = new char[1024];
        var options = new EnumerationOptions
        {
            IgnoreInaccessible = true,
            RecurseSubdirectories = Recursive,
            AttributesToSkip = 0,
        };
        var visits = new FileSystemEnumerable<bool>(Directory, Transform, options)
        {
            ShouldIncludePredicate = static (ref FileSystemEntry entry) => !entry.IsDirectory && InputFile.KindOf(entry.FileName) != InputKind.Other,
            ShouldRecursePredicate = static (ref FileSystemEntry entry) =>
                !entry.Attributes.HasFlag(FileAttributes.ReparsePoint) && SourceTree.HoldsInputs(entry.FileName),
        };
        return visits.All(static goOn => goOn);

        bool Transform(ref FileSystemEntry entry)
        {
            var length = entry.Directory.Length + 1 + entry.FileName.Length;
            if (path.Length < length)
            {
                path = new char[length * 2];
            }

            entry.Directory.CopyTo(path);
            var at = entry.Directory.Length;
            if (!Path.EndsInDirectorySeparator(entry.Directory))
            {
                path[at++] = Path.DirectorySeparatorChar;
            }

            entry.FileName.CopyTo(path.AsSpan(at));
            return visit(path.AsSpan(0, at + entry.FileName.Length), SourceSnapshot.Stat.Of(ref entry));
        }
    }
}
