namespace ResilientHosting.Reloading;

/// <summary>
/// A checkout, merge or rebase under way. Git holds a lock while it changes files. Between the steps of a rebase there is none, but
/// git's notes on it are fresh; once they are not, it has stopped and waits for the developer, whose edits are to be served.
/// </summary>
internal sealed class GitOperation(string gitDirectory, ReloadConsole console) : IWorkInProgress
{
    /// <summary>How old a lock may be. An older one was left behind by a git that has crashed.</summary>
    public static readonly TimeSpan LockLimit = TimeSpan.FromSeconds(10);

    /// <summary>How long ago the last step of an operation of many steps may be.</summary>
    public static readonly TimeSpan StepLimit = TimeSpan.FromMilliseconds(500);

    private static readonly string[] Locks = ["index.lock", "HEAD.lock", "MERGE_HEAD.lock"];

    private static readonly string[] Notes =
        ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "BISECT_LOG", "rebase-merge", "rebase-apply", "sequencer"];

    private readonly HashSet<string> _leftBehind = [];

    /// <summary>Finds the git folder that a project's folder belongs to; a linked work tree and a submodule have one of their own.</summary>
    public static GitOperation? Of(string projectDirectory, ReloadConsole console)
    {
        for (var directory = new DirectoryInfo(projectDirectory); directory is not null; directory = directory.Parent)
        {
            var git = Path.Combine(directory.FullName, ".git");
            if (Directory.Exists(git))
            {
                return new GitOperation(git, console);
            }

            if (File.Exists(git))
            {
                return Follow(git, console);
            }
        }

        return null;
    }

    private static GitOperation? Follow(string pointer, ReloadConsole console)
    {
        const string Prefix = "gitdir:";
        try
        {
            var text = File.ReadAllText(pointer).Trim();
            return text.StartsWith(Prefix, StringComparison.Ordinal)
                ? new GitOperation(Path.GetFullPath(text[Prefix.Length..].Trim(), Path.GetDirectoryName(pointer)!), console)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            console.Say($"reloads don't wait for git operations: {pointer} can't be read ({e.Message})");
            return null;
        }
    }

    public string? Find(DateTimeOffset now)
    {
        foreach (var name in Locks)
        {
            if (Age(name, now) is not { } age)
            {
                _leftBehind.Remove(name);
            }
            else if (age < LockLimit)
            {
                return $"git is at work ({name})";
            }
            else if (_leftBehind.Add(name))
            {
                console.Say($"not waiting for {Path.Combine(gitDirectory, name)}, which a git that crashed seems to have left behind");
            }
        }

        return Notes.FirstOrDefault(name => Age(name, now) < StepLimit) is { } note ? $"git is at work ({note})" : null;
    }

    /// <summary>How long ago a file or a folder was written; null if there is none.</summary>
    private TimeSpan? Age(string name, DateTimeOffset now)
    {
        var path = Path.Combine(gitDirectory, name);

        // A share's clock may be ahead of ours.
        return Path.Exists(path) ? (now.UtcDateTime - File.GetLastWriteTimeUtc(path)).Duration() : null;
    }
}
