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

    // A share's clock may differ from ours, but not by as much.
    private static readonly TimeSpan LongAgo = TimeSpan.FromHours(1);

    private static readonly byte[] Unreadable = [];

    private readonly Dictionary<string, Entry> _files;
    private readonly Lazy<HashSet<string>> _folders;

    private SourceSnapshot(Dictionary<string, Entry> files)
    {
        _files = files;
        _folders = new Lazy<HashSet<string>>(FindFolders);
    }

    public static SourceSnapshot Empty { get; } = new([]);

    public int Count => _files.Count;

    public IEnumerable<string> Paths => _files.Keys;

    public bool Contains(string path) => _files.ContainsKey(path);

    public bool HasFilesBelow(string folder) => _folders.Value.Contains(folder);

    public bool IsLink(string path) => _files.GetValueOrDefault(path)?.Stat.IsLink == true;

    /// <summary>Whether a file is known.</summary>
    /// <param name="path">The file.</param>
    /// <param name="stat">What its directory tells about it now.</param>
    /// <param name="isSame">Whether it needn't be read to be known to be the same.</param>
    public bool TryCompare(ReadOnlySpan<char> path, FileStat stat, out bool isSame)
    {
        var isKnown = _files.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(path, out var entry);
        isSame = isKnown && entry!.StillHolds(stat);
        return isKnown;
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
            if (FileStat.Of(path) is { } stat)
            {
                files[path] = Entry.Read(path, stat, _files.GetValueOrDefault(path), now);
            }
            else if (files.ContainsKey(path) && UnreadableFolder.Above(path) is null)
            {
                files.Remove(path);
            }
        }

        return new SourceSnapshot(files);
    }

    /// <summary>The same look at these files only, with those that were out of sight so far looked at now.</summary>
    public SourceSnapshot Restrict(IReadOnlySet<string> paths, IEnumerable<string> outOfSight, DateTimeOffset now)
    {
        var files = new Dictionary<string, Entry>(Empty.Reread([.. outOfSight], now)._files);
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
        _files.GetValueOrDefault(path) is { } entry && (entry.Stat.Length == 0 || entry.IsUnreadable);

    private HashSet<string> FindFolders()
    {
        var folders = new HashSet<string>();
        foreach (var path in _files.Keys)
        {
            for (var folder = Path.GetDirectoryName(path); folder is not null && folders.Add(folder); folder = Path.GetDirectoryName(folder))
            {
            }
        }

        return folders;
    }

    /// <param name="Stat">What the directory said before the file was read.</param>
    /// <param name="Content">The hash of what it held.</param>
    /// <param name="Since">When it was first seen like that, by our clock.</param>
    /// <param name="IsSettled">Whether a later save is sure to leave another time stamp.</param>
    private sealed record Entry(FileStat Stat, byte[] Content, DateTimeOffset Since, bool IsSettled)
    {
        public bool IsUnreadable => ReferenceEquals(Content, Unreadable);

        public static Entry Read(string path, FileStat stat, Entry? before, DateTimeOffset now)
        {
            var content = Hash(path);
            var since = before?.Stat == stat ? before.Since : now;
            var isOld = (now.UtcDateTime - stat.Modified).Duration() > LongAgo || now - since > CoarsestClock;

            // The time stamp of a link says nothing about what it leads to, and none tells that a file may be read again.
            return new Entry(stat, content, since, isOld && !stat.IsLink && !ReferenceEquals(content, Unreadable));
        }

        /// <summary>Whether the file needn't be read.</summary>
        public bool StillHolds(FileStat stat) => IsSettled && Stat == stat;

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
