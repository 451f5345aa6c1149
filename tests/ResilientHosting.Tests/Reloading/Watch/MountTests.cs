using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Real mounts. Nobody tells of what is written behind them.</summary>
[Collection(nameof(MountTests))]
public sealed class MountTests : IAsyncDisposable
{
    // SFTP tells times by the second: of two saves within one, only the length tells in a test whose clock has gone on.
    private const string Longer = "another content";

    private readonly TemporaryFolder _folder = new();
    private MountedFolder? _mount;
    private WatchedProject? _watched;

    public async ValueTask DisposeAsync()
    {
        _watched?.Dispose();
        if (_mount is not null)
        {
            await _mount.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Theory]
    [InlineData("bindfs")]
    [InlineData("sshfs")]
    public async Task EditBehindAFuseMount_IsNoticedAndTheReasonForPollingIsSaidOnce(string kind)
    {
        var mount = _mount = await RequiredMounts.MountOrSkipAsync(kind);
        mount.Write("app/Program.cs", "one");
        mount.Write("app/bin/App.dll", "");
        mount.Write("app/Orders/Order.cs", "one");
        var watched = Watch(mount.Path, WatchMode.Auto);

        var order = mount.WriteBehind("app/Orders/Order.cs", Longer);
        Assert.Equal([new SourceChange(order, ChangeKind.Edited)], await watched.NextInTimeAsync());
        var added = mount.WriteBehind("app/New/Deep/Price.cs", "one");
        Assert.Equal([new SourceChange(added, ChangeKind.Added)], await watched.NextInTimeAsync());
        File.Delete(Path.Combine(mount.Behind, "app", "Orders", "Order.cs"));
        Assert.Equal([new SourceChange(order, ChangeKind.Deleted)], await watched.NextInTimeAsync());

        var type = FileSystemType.Of(mount.Path);
        Assert.StartsWith("fuse", type, StringComparison.Ordinal);
        Assert.Equal(
            $"dev reloader: {mount.Path}/app is looked at every 300 ms instead: its file system ({type}) doesn't tell of changes made elsewhere",
            Assert.Single(watched.Said.Since(0)));
    }

    [Theory]
    [InlineData("bindfs")]
    [InlineData("sshfs")]
    public async Task EditBehindAFuseMount_WithEventsAlone_IsNotNoticed(string kind)
    {
        var mount = _mount = await RequiredMounts.MountOrSkipAsync(kind);
        mount.Write("app/Program.cs", "one");
        mount.Write("app/Order.cs", "one");
        var watched = Watch(mount.Path, WatchMode.Events);
        var noticed = watched.NextAsync();

        mount.WriteBehind("app/Order.cs", "two");
        File.Move(mount.Write("draft", "two"), Path.Combine(mount.Path, "app", "Program.cs"), overwrite: true);

        // The edit that came later, and through the mount, is the only one: no event told of the other.
        Assert.Equal([new SourceChange(Path.Combine(mount.Path, "app", "Program.cs"), ChangeKind.Edited)], (await noticed).Changes.Changes);
        Assert.Equal("two", await File.ReadAllTextAsync(Path.Combine(mount.Path, "app", "Order.cs"), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("overlay")]
    [InlineData("tmpfs")]
    public async Task EditThroughALocalMount_IsNoticedByAnEvent(string kind)
    {
        var mount = _mount = await RequiredMounts.MountOrSkipAsync(kind);
        var order = mount.Write("app/Order.cs", "one");
        var watched = Watch(mount.Path, WatchMode.Auto);
        var noticed = watched.NextAsync();

        File.Move(mount.Write("draft", "two"), order, overwrite: true);

        Assert.Equal([new SourceChange(order, ChangeKind.Edited)], (await watched.AcceptAsync(noticed)).Changes.Changes);
        Assert.Equal(kind, FileSystemType.Of(mount.Path));
        Assert.Empty(watched.Said.Since(0));
    }

    [Fact]
    public async Task EditBehindAnOverlay_IsNoticedByTheSweepAndSwitchesTheFolderToPolling()
    {
        var mount = _mount = await RequiredMounts.MountOrSkipAsync("overlay");
        var order = mount.Write("app/Order.cs", "one");
        var watched = Watch(mount.Path, WatchMode.Auto);

        var noticed = watched.NextLongAfterTheStartAsync();
        mount.WriteBehind("app/Order.cs", Longer);
        await watched.PassTimeAsync(noticed);
        Assert.Equal([new SourceChange(order, ChangeKind.Edited)], (await watched.AcceptAsync(noticed)).Changes.Changes);
        var next = watched.NextAsync();
        var said = watched.Said.WaitForAsync("looked at every");
        await watched.PassTimeAsync(said);

        Assert.Equal(
            $"dev reloader: {mount.Path}/app is looked at every 300 ms instead: no event of its file system (overlay) told that Order.cs has changed",
            await said);
        Assert.False(next.IsCompleted);
    }

    [Fact]
    public async Task MountBelowAWatchedFolder_IsPolledByItself()
    {
        _folder.Write("app/Program.cs", "one");
        _folder.Write("app/bin/App.dll", "");
        _folder.Write("app/Parts/Part.cs", "one");
        var below = _folder.PathOf("app/Parts/Orders");
        var mount = _mount = await RequiredMounts.MountOrSkipAsync("bindfs", below);
        mount.Write("Order.cs", "one");
        var watched = Watch(_folder.Path, WatchMode.Auto);
        Assert.Equal(
            $"dev reloader: {below} is looked at every 300 ms instead: its file system ({FileSystemType.Of(below)}) doesn't tell of changes made elsewhere",
            Assert.Single(watched.Said.Since(0)));

        // Too early for a sweep of all, so this is one of the mount alone.
        var noticed = watched.NextAsync();
        mount.WriteBehind("Order.cs", "two");
        watched.Clock.Advance(TimeSpan.FromMilliseconds(300));

        Assert.Equal([new SourceChange(Path.Combine(below, "Order.cs"), ChangeKind.Edited)], (await noticed).Changes.Changes);
    }

    private WatchedProject Watch(string root, WatchMode mode) => _watched = new WatchedProject(Path.Combine(root, "app"), mode);
}
