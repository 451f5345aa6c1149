using System.Security.Cryptography;

namespace ResilientHosting.Reloading;

/// <summary>
/// How the source files looked at one moment. Time stamps and sizes only say where to look (they may go backwards, and a touch
/// changes them); the content decides what counts as a change.
/// </summary>
internal sealed class SourceSnapshot
{
    private static readonly byte[] Unreadable = [];

    private readonly Dictionary<string, Entry> _files;

    private SourceSnapshot(Dictionary<string, Entry> files) => _files = files;

    public static SourceSnapshot Empty { get; } = new([]);

    public int Count => _files.Count;

    /// <summary>Looks at the files again; reads only those whose time stamp or size differs from the earlier look.</summary>
    public SourceSnapshot Retake(IEnumerable<string> paths)
    {
        var files = new Dictionary<string, Entry>(_files.Count);
        foreach (var path in paths)
        {
            var info = new FileInfo(path);
            if (!info.Exists)
            {
                continue;
            }

            var (modified, length) = (info.LastWriteTimeUtc, info.Length);
            files[path] = _files.TryGetValue(path, out var known) && known.Modified == modified && known.Length == length
                ? known
                : new Entry(modified, length, Hash(path));
        }

        return new SourceSnapshot(files);
    }

    /// <summary>The same look at these files only, with those that were out of sight so far looked at now.</summary>
    public SourceSnapshot Restrict(IReadOnlySet<string> paths, IEnumerable<string> outOfSight)
    {
        var files = Empty.Retake(outOfSight)._files;
        foreach (var (path, entry) in _files.Where(file => paths.Contains(file.Key)))
        {
            files[path] = entry;
        }

        return new SourceSnapshot(files);
    }

    public List<SourceChange> ChangesSince(SourceSnapshot earlier)
    {
        var changes = new List<SourceChange>();
        foreach (var (path, entry) in _files)
        {
            if (!earlier._files.TryGetValue(path, out var before))
            {
                changes.Add(new SourceChange(path, ChangeKind.Added));
            }
            else if (!ReferenceEquals(entry, before) && !entry.Content.AsSpan().SequenceEqual(before.Content))
            {
                changes.Add(new SourceChange(path, ChangeKind.Edited));
            }
        }

        foreach (var path in earlier._files.Keys)
        {
            if (!_files.ContainsKey(path))
            {
                changes.Add(new SourceChange(path, ChangeKind.Deleted));
            }
        }

        return changes;
    }

    private static byte[] Hash(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
            return SHA256.HashData(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Locked by its writer, or just gone: whatever it holds, it is not what we knew. The compiler reports it if it stays so.
            return Unreadable;
        }
    }

    private sealed record Entry(DateTime Modified, long Length, byte[] Content);
}
