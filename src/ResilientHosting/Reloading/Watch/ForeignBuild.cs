using System.IO.Enumeration;

namespace ResilientHosting.Reloading;

/// <summary>
/// Somebody else who builds the project, told by outputs that were written a moment ago: a generation must not load libraries that
/// are half replaced. Only what builds write counts; an application may well keep its log or database beside its assembly.
/// </summary>
internal sealed class ForeignBuild(params IReadOnlyList<string> outputs) : IWorkInProgress
{
    /// <summary>How long the outputs must have been left alone.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(500);

    private static readonly EnumerationOptions Files = new() { IgnoreInaccessible = true, AttributesToSkip = 0 };

    private readonly Lock _lock = new();
    private int _own;
    private DateTimeOffset _ownUntil = DateTimeOffset.MinValue;

    /// <summary>Says that what is written until the result is disposed of is written by the reloader itself.</summary>
    public IDisposable BeginOwn(TimeProvider clock)
    {
        lock (_lock)
        {
            _own++;
        }

        return new OwnBuild(this, clock);
    }

    public string? Find(DateTimeOffset now)
    {
        lock (_lock)
        {
            if (_own > 0)
            {
                return null;
            }
        }

        return outputs.FirstOrDefault(folder => IsBeingWritten(folder, now)) is { } output
            ? $"somebody builds the project ({output} is being written)"
            : null;
    }

    private bool IsBeingWritten(string folder, DateTimeOffset now)
    {
        if (!Directory.Exists(folder))
        {
            return false;
        }

        try
        {
            return new FileSystemEnumerable<DateTimeOffset>(folder, static (ref FileSystemEntry entry) => entry.LastWriteTimeUtc, Files)
            {
                ShouldIncludePredicate = static (ref FileSystemEntry entry) => !entry.IsDirectory && IsBuilt(entry.FileName),
            }.Any(time => time > _ownUntil && (now - time).Duration() < Quiet);
        }
        catch (DirectoryNotFoundException)
        {
            // It went just now: somebody cleans, and will most likely build.
            return true;
        }
    }

    private static bool IsBuilt(ReadOnlySpan<char> file) =>
        Path.GetExtension(file) is ".dll" or ".exe" or ".pdb" or ".cache" || file.EndsWith(".deps.json");

    private void EndOwn(DateTimeOffset at)
    {
        lock (_lock)
        {
            _own--;
            _ownUntil = at;
        }
    }

    private sealed class OwnBuild(ForeignBuild gate, TimeProvider clock) : IDisposable
    {
        private int _ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, 1) == 0)
            {
                gate.EndOwn(clock.GetUtcNow());
            }
        }
    }
}
