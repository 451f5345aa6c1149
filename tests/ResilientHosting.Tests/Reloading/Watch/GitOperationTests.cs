using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class GitOperationTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _said = new();

    public void Dispose()
    {
        _folder.Dispose();
        _said.Dispose();
    }

    [Theory]
    [InlineData("index.lock", 0, true)]
    [InlineData("index.lock", 9.9, true)]
    [InlineData("index.lock", 10, false)]
    [InlineData("HEAD.lock", 1, true)]
    [InlineData("MERGE_HEAD", 0.4, true)]
    [InlineData("MERGE_HEAD", 0.5, false)]
    [InlineData("index", 0, false)]
    public void Find_WithALockOrANote_GoesByItsAge(string name, double secondsOld, bool isAtWork)
    {
        Write($"repo/.git/{name}", secondsOld);

        Assert.Equal(isAtWork ? $"git is at work ({name})" : null, Operation("repo").Find(Now));
    }

    [Fact]
    public void Find_BetweenTwoStepsOfARebase_IsAtWorkUntilItStops()
    {
        Directory.CreateDirectory(_folder.PathOf("repo/.git/rebase-merge"));
        Directory.SetLastWriteTimeUtc(_folder.PathOf("repo/.git/rebase-merge"), Now.UtcDateTime);
        var operation = Operation("repo");

        Assert.Equal("git is at work (rebase-merge)", operation.Find(Now + TimeSpan.FromSeconds(0.4)));
        Assert.Null(operation.Find(Now + TimeSpan.FromSeconds(0.5)));
    }

    [Fact]
    public void Find_WithALockLeftBehind_SaysSoOnce()
    {
        Write("repo/.git/index.lock", secondsOld: 3600);
        var operation = Operation("repo");

        Assert.Null(operation.Find(Now));
        Assert.Null(operation.Find(Now));

        var line = Assert.Single(_said.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains($"not waiting for {_folder.PathOf("repo/.git/index.lock")}", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_WithAClockAheadOfOurs_DoesNotWaitForItToBeCaughtUp()
    {
        Write("repo/.git/index.lock", secondsOld: -3600);

        Assert.Null(Operation("repo").Find(Now));
    }

    [Fact]
    public void Of_AFolderBelow_FindsTheRepository()
    {
        Write("repo/.git/index.lock", 0);
        Directory.CreateDirectory(_folder.PathOf("repo/src/App"));

        Assert.NotNull(Operation("repo/src/App").Find(Now));
    }

    [Fact]
    public void Of_ALinkedWorkTree_LooksWhereItsOwnLocksAre()
    {
        Write("repo/.git/index.lock", 0);
        Write("repo/.git/worktrees/fix/HEAD", 0);
        _folder.Write("fix/.git", "gitdir: ../repo/.git/worktrees/fix\n");
        var operation = Operation("fix");

        Assert.Null(operation.Find(Now));
        Write("repo/.git/worktrees/fix/index.lock", 0);
        Assert.NotNull(operation.Find(Now));
    }

    [Fact]
    public void Of_AFolderOutsideAnyRepository_IsNull()
    {
        _folder.Write("plain/.git", "not a pointer");

        Assert.Null(GitOperation.Of(_folder.PathOf("plain"), new ReloadConsole(_said)));
    }

    private GitOperation Operation(string folder) => GitOperation.Of(_folder.PathOf(folder), new ReloadConsole(_said))!;

    private void Write(string file, double secondsOld) =>
        File.SetLastWriteTimeUtc(_folder.Write(file, ""), (Now - TimeSpan.FromSeconds(secondsOld)).UtcDateTime);
}
