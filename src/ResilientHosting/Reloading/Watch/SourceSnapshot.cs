using System.IO.Enumeration;
using System.Security.Cryptography;

namespace ResilientHosting.Reloading;

/// <summary>
/// How the source files looked at one moment. Time stamps and sizes only say where to look (they may go backwards, and a touch
/// changes them); the content decides what counts as a change.
/// </summary>
internal sealed class SourceSnapshot
{
    // Two saves within one tick of a file system's clock (2 s on FAT) leave the same time stamp.
    private static readonly TimeSpan CoarsestClock = TimeSpan.FromSeconds(2);

    private static readonly byte[] Unreadable = [];

    private readonly Dictionary<string, Entry> _files;

    private SourceSnapshot(Dictionary<string, Entry> files) => _files = files;

    public static SourceSnapshot Empty { get; } = new([]);

    public int Count => _files.Count;

    public bool Contains(string path) => _files.ContainsKey(path);

    /// <summary>Looks at the files again; reads only those whose time stamp or size differs from the earlier look.</summary>
    public SourceSnapshot Retake(IEnumerable<string> paths, DateTimeOffset now)
    {
        var files = new Dictionary<string, Entry>(_files.Count);
        foreach (var path in paths)
        {
            if (Stat.Of(path) is { } stat)
            {
                files[path] = _files.GetValueOrDefault(path) is { } known && known.StillHolds(stat) ? known : Entry.Read(path, stat, now);
            }
        }

        return new SourceSnapshot(files);
    }

    /// <summary>Reads the files again, whatever their time stamps say, and takes over the rest.</summary>
    public SourceSnapshot Reread(IReadOnlyCollection<string> paths, DateTimeOffset now)
    {
        if (paths.Count == 0)
        {
            return this;
        }

        var files = new Dictionary<string, Entry>(_files);
        foreach (var path in paths)
        {
            files.Remove(path);
            if (Stat.Of(path) is { } stat)
            {
                files[path] = Entry.Read(path, stat, now);
            }
        }

        return new SourceSnapshot(files);
    }

    /// <summary>Looks again at all files, as <see cref="Retake"/> does, with what the listings of their folders tell.</summary>
    /// <param name="listings">The folders of all files.</param>
    /// <param name="isNoInput">Whether a file that is not known here is none of ours.</param>
    /// <param name="now">The time.</param>
    /// <returns>Null if there is a new file or one has gone: then it takes a look by name.</returns>
    public SourceSnapshot? TryRetake(IEnumerable<SourceListing> listings, Func<ReadOnlySpan<char>, bool> isNoInput, DateTimeOffset now)
    {
        var known = _files.GetAlternateLookup<ReadOnlySpan<char>>();
        var seen = 0;
        var suspects = new List<string>();
        var noneIsNew = listings.All(listing => listing.ForEach((path, stat) =>
        {
            if (!known.TryGetValue(path, out var entry))
            {
                return isNoInput(path);
            }

            seen++;
            if (!entry.StillHolds(stat))
            {
                suspects.Add(path.ToString());
            }

            return true;
        }));
        if (!noneIsNew)
        {
            return null;
        }

        // What only a project's list makes an input is not seen by listing.
        foreach (var (path, entry) in _files.Where(file => InputFile.KindOf(file.Key) == InputKind.Other))
        {
            seen++;
            if (Stat.Of(path) is not { } stat || !entry.StillHolds(stat))
            {
                suspects.Add(path);
            }
        }

        return seen == _files.Count ? Reread(suspects, now) : null;
    }

    /// <summary>The same look at these files only, with those that were out of sight so far looked at now.</summary>
    public SourceSnapshot Restrict(IReadOnlySet<string> paths, IEnumerable<string> outOfSight, DateTimeOffset now)
    {
        var files = Empty.Retake(outOfSight, now)._files;
        foreach (var (path, entry) in _files.Where(file => paths.Contains(file.Key)))
        {
            files[path] = entry;
        }

        return new SourceSnapshot(files);
    }

    public List<SourceChange> ChangesSince(SourceSnapshot earlier)
    {
        var changes = new List<SourceChange>();
        if (ReferenceEquals(this, earlier))
        {
            return changes;
        }

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

    /// <summary>Whether somebody seems to be in the middle of writing the file: it is empty or can't be read.</summary>
    public bool IsHalfWritten(string path) =>
        _files.GetValueOrDefault(path) is { } entry && (entry.Stat.Length == 0 || ReferenceEquals(entry.Content, Unreadable));

    /// <summary>What a directory tells about a file.</summary>
    internal readonly record struct Stat(DateTime Modified, DateTime Created, long Length, bool IsLink)
    {
        public static Stat? Of(string path)
        {
            var info = new FileInfo(path);
            return info.Exists
                ? new Stat(info.LastWriteTimeUtc, info.CreationTimeUtc, info.Length, info.Attributes.HasFlag(FileAttributes.ReparsePoint))
                : null;
        }

        public static Stat Of(ref FileSystemEntry entry) => new(
            entry.LastWriteTimeUtc.UtcDateTime,
            entry.CreationTimeUtc.UtcDateTime,
            entry.Length,
            entry.Attributes.HasFlag(FileAttributes.ReparsePoint));
    }

    private sealed record Entry(Stat Stat, byte[] Content, bool IsSettled)
    {
        public static Entry Read(string path, Stat stat, DateTimeOffset now) =>
            new(stat, Hash(path), IsSettled: !stat.IsLink && (now.UtcDateTime - stat.Modified).Duration() > CoarsestClock);

        /// <summary>Whether the file needn't be read. The time stamp of a link says nothing about what it leads to.</summary>
        public bool StillHolds(Stat stat) => IsSettled && Stat == stat;

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
    }
}
