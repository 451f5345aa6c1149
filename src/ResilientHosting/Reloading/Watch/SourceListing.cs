using System.IO.Enumeration;

namespace ResilientHosting.Reloading;

/// <summary>
/// Sees each file of a folder that may be an input with its time stamp, as the folder is read: half the cost of asking file by file. What
/// can't be read is passed over, like what isn't there.
/// </summary>
internal sealed class SourceListing : FileSystemEnumerator<bool>
{
    private static readonly EnumerationOptions Everything = new() { RecurseSubdirectories = true, AttributesToSkip = 0 };

    private readonly bool _isTree;
    private readonly FileVisitor _onFile;
    private readonly FolderVisitor _onFolder;

    // One buffer for all paths: they are only looked up.
    private char[] _path = new char[1024];

    private SourceListing(SourceFolder folder, FileVisitor onFile, FolderVisitor onFolder)
        : base(folder.Path, Everything)
    {
        _isTree = folder.Extent == FolderExtent.Tree;
        _onFile = onFile;
        _onFolder = onFolder;
    }

    public delegate void FileVisitor(ReadOnlySpan<char> path, FileStat stat);

    public delegate void FolderVisitor(ReadOnlySpan<char> path);

    /// <summary>Visits the files with which a folder is watched.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="onFile">Sees every file that may be an input by its name.</param>
    /// <param name="onFolder">Sees every folder that may hold inputs and is watched by itself, if it is watched.</param>
    public static void ForEach(SourceFolder folder, FileVisitor onFile, FolderVisitor onFolder)
    {
        using var listing = new SourceListing(folder, onFile, onFolder);
        while (listing.MoveNext())
        {
        }
    }

    protected override bool ShouldIncludeEntry(ref FileSystemEntry entry)
    {
        if (!entry.IsDirectory && InputFile.KindOf(entry.FileName) != InputKind.Other)
        {
            _onFile(PathOf(ref entry), FileStat.Of(ref entry));
        }

        return false;
    }

    protected override bool ShouldRecurseIntoEntry(ref FileSystemEntry entry)
    {
        if (!SourceTree.HoldsInputs(entry.FileName))
        {
            return false;
        }

        if (_isTree && !entry.Attributes.HasFlag(FileAttributes.ReparsePoint))
        {
            return true;
        }

        _onFolder(PathOf(ref entry));
        return false;
    }

    protected override bool TransformEntry(ref FileSystemEntry entry) => true;

    protected override bool ContinueOnError(int error) => true;

    private ReadOnlySpan<char> PathOf(ref FileSystemEntry entry)
    {
        var length = entry.Directory.Length + 1 + entry.FileName.Length;
        if (_path.Length < length)
        {
            _path = new char[length * 2];
        }

        entry.Directory.CopyTo(_path);
        var at = entry.Directory.Length;
        if (!Path.EndsInDirectorySeparator(entry.Directory))
        {
            _path[at++] = Path.DirectorySeparatorChar;
        }

        entry.FileName.CopyTo(_path.AsSpan(at));
        return _path.AsSpan(0, at + entry.FileName.Length);
    }
}
