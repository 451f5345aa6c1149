using System.IO.Enumeration;

namespace ResilientHosting.Reloading;

/// <summary>
/// Divides a folder into as few folders as can be watched each by itself. A tree is watched as one if nothing in it is to be left alone:
/// watching packages as well costs thousands of watches and listens to them all day. A build's outputs are heard along with a tree that
/// would fall to many pieces otherwise. What is mounted is a folder of its own, because its file system may be another, and so is what is
/// linked, because events don't follow links.
/// </summary>
internal sealed class FolderCover
{
    // Each piece costs a watcher, of which there are few; each folder of outputs a watch, of which there are many.
    private const int FewPieces = 3;
    private const int ManyOutputs = 200;

    private readonly SourceFolders _all;
    private readonly List<SourceFolder> _found = [];
    private readonly Queue<(string Link, string[] Followed)> _links = [];
    private readonly HashSet<string> _mounts;

    private FolderCover(string folder, SourceFolders all)
    {
        _all = all;
        _mounts = [.. MountPoints.Below(folder)];
    }

    /// <summary>Adds what covers a folder.</summary>
    public static void Add(string folder, SourceFolders all)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        var cover = new FolderCover(folder, all);
        cover.Cover(folder, FileSystemType.Of(folder), []);
        while (cover._links.TryDequeue(out var next))
        {
            cover.Cover(next.Link, FileSystemType.Of(next.Link), next.Followed);
        }

        cover._found.ForEach(all.Add);
    }

    /// <returns>Whether the folder and all below can be watched as one.</returns>
    private bool Cover(string folder, string fileSystem, string[] followed)
    {
        var first = _found.Count;
        var isTree = true;
        var outputs = 0;
        foreach (var (path, isLink) in Subfolders.Of(folder))
        {
            if (!isLink && Path.GetFileName(path) is "bin" or "obj")
            {
                outputs += Count(path, ManyOutputs);
            }
            else if (!SourceTree.HoldsInputs(path))
            {
                isTree = false;
            }
            else if (isLink)
            {
                Follow(path, followed);
            }
            else if (_mounts.Contains(path))
            {
                isTree = false;
                Cover(path, FileSystemType.Of(path), followed);
            }
            else
            {
                isTree &= Cover(path, fileSystem, followed);
            }
        }

        isTree &= outputs == 0 || (_found.Count - first > FewPieces && outputs <= ManyOutputs);
        if (isTree)
        {
            _found.RemoveRange(first, _found.Count - first);
        }

        _found.Insert(first, new SourceFolder(folder, isTree ? FolderExtent.Tree : FolderExtent.Files, fileSystem));
        return isTree;
    }

    /// <summary>Counts a folder and those below, until there are more than enough.</summary>
    private static int Count(string folder, int enough)
    {
        var count = 1;
        foreach (var (path, isLink) in Subfolders.Of(folder))
        {
            if (count > enough)
            {
                break;
            }

            count += isLink ? 1 : Count(path, enough - count);
        }

        return count;
    }

    private void Follow(string link, string[] followed)
    {
        if (LinkedFolder.TargetOf(link) is { } target && !LinkedFolder.IsLoop(link, target, followed))
        {
            _links.Enqueue((link, [.. followed, target]));
        }
        else
        {
            _all.LeaveOut(link);
        }
    }

    private sealed class Subfolders(string folder) : FileSystemEnumerator<(string Path, bool IsLink)>(folder, Everything)
    {
        private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0 };

        public static List<(string Path, bool IsLink)> Of(string folder)
        {
            using var subfolders = new Subfolders(folder);
            var found = new List<(string Path, bool IsLink)>();
            while (subfolders.MoveNext())
            {
                found.Add(subfolders.Current);
            }

            return found;
        }

        protected override bool ShouldIncludeEntry(ref FileSystemEntry entry) => entry.IsDirectory;

        protected override (string Path, bool IsLink) TransformEntry(ref FileSystemEntry entry) =>
            (entry.ToFullPath(), entry.Attributes.HasFlag(FileAttributes.ReparsePoint));

        // What can't be read is seen, and told, by the sweep.
        protected override bool ContinueOnError(int error) => true;
    }
}
