using System.IO.MemoryMappedFiles;
using System.Text;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>
/// What the sweep finds and no event told of. A write through a memory map is such a change on every file system of Linux. Not at the same
/// time as tests that mount something: wherever that is, it is a reason to look at all files.
/// </summary>
[Collection(nameof(MountTests))]
public sealed class EvidenceTests : IDisposable
{
    private static readonly TimeSpan PollingInterval = TimeSpan.FromMilliseconds(300);

    private readonly TemporaryFolder _folder = new();
    private WatchedProject? _watched;

    public EvidenceTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux raises no event for a memory map, which cannot be installed.");
        _folder.Write("app/Program.cs", "one");
        _folder.Write("app/bin/App.dll", "");
        _folder.Write("app/Orders/Order.cs", "one");
        _folder.Write("app/Prices/Price.cs", "one");
    }

    public void Dispose()
    {
        _watched?.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Edit_WithoutAnEvent_SwitchesItsFolderToPollingAndSaysSoOnce()
    {
        var watched = Watch(WatchMode.Auto);
        var (order, price) = (_folder.PathOf("app/Orders/Order.cs"), _folder.PathOf("app/Prices/Price.cs"));

        var noticed = watched.NextLongAfterTheStartAsync();
        EditThroughMap(order, "two");
        await watched.PassTimeAsync(noticed);
        Assert.Equal([new SourceChange(order, ChangeKind.Edited)], (await watched.AcceptAsync(noticed)).Changes.Changes);
        var next = watched.NextAsync();
        var said = watched.Said.WaitForAsync("looked at every 300 ms");
        await watched.PassTimeAsync(said);
        Assert.Equal(
            $"dev reloader: {_folder.PathOf("app/Orders")} is looked at every 300 ms instead: no event of its file system "
            + $"({FileSystemType.Of(_folder.Path)}) told that Order.cs has changed",
            await said);

        // After a look at all files a sweep of this folder is due much earlier than another of all.
        watched.Watcher.Request("look at all");
        await watched.AcceptAsync(next);
        noticed = watched.NextAsync();
        EditThroughMap(order, "six");
        EditThroughMap(price, "six");

        // The first tick can come too early after that look, the second can't.
        watched.Clock.Advance(PollingInterval);
        watched.Clock.Advance(PollingInterval);
        Assert.Equal([new SourceChange(order, ChangeKind.Edited)], (await watched.AcceptAsync(noticed)).Changes.Changes);
        Assert.Equal([new SourceChange(price, ChangeKind.Edited)], await watched.NextInTimeAsync());
    }

    [Fact]
    public async Task Edits_WithTheirEvents_AreNoEvidence()
    {
        var watched = Watch(WatchMode.Auto);
        foreach (var content in new[] { "two", "six", "ten" })
        {
            var noticed = watched.NextAsync();
            var draft = _folder.Write("draft", content);
            File.Move(draft, _folder.PathOf("app/Orders/Order.cs"), overwrite: true);
            Assert.Single((await watched.AcceptAsync(noticed)).Changes.Changes);
            for (var second = 0; second < 5; second++)
            {
                watched.Clock.Advance(TimeSpan.FromSeconds(1));
                Assert.True((await watched.Watcher.SettleAsync(TestContext.Current.CancellationToken)).Changes.IsEmpty);
            }
        }

        Assert.Empty(watched.Said.Since(0));
    }

    [Fact]
    public async Task LinkedFile_EditedElsewhere_IsNoEvidence()
    {
        var target = _folder.Write("shared/Money.cs", "one");
        File.CreateSymbolicLink(_folder.PathOf("app/Orders/Money.cs"), target);
        var watched = Watch(WatchMode.Auto);

        var noticed = watched.NextLongAfterTheStartAsync();
        _folder.Write("shared/Money.cs", "two");
        await watched.PassTimeAsync(noticed);
        Assert.Single((await watched.AcceptAsync(noticed)).Changes.Changes);
        await LookForAsync(watched, MissedEvents.Grace * 2);

        Assert.Empty(watched.Said.Since(0));
    }

    [Fact]
    public async Task Edit_WithEventsAlone_IsNotNoticed()
    {
        var watched = Watch(WatchMode.Events);
        var noticed = watched.NextAsync();

        EditThroughMap(_folder.PathOf("app/Orders/Order.cs"), "two");
        File.Move(_folder.Write("draft", "two"), _folder.PathOf("app/Program.cs"), overwrite: true);

        Assert.Equal([new SourceChange(_folder.PathOf("app/Program.cs"), ChangeKind.Edited)], (await noticed).Changes.Changes);
    }

    private WatchedProject Watch(WatchMode mode) => _watched = new WatchedProject(_folder.PathOf("app"), mode);

    /// <summary>Lets sweeps be made for a while.</summary>
    private static async Task LookForAsync(WatchedProject watched, TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromSeconds(1))
        {
            watched.Clock.Advance(TimeSpan.FromSeconds(1));
            Assert.True((await watched.Watcher.SettleAsync(TestContext.Current.CancellationToken)).Changes.IsEmpty);
        }
    }

    private static void EditThroughMap(string path, string content)
    {
        using var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open);
        using var view = file.CreateViewAccessor(0, content.Length);
        view.WriteArray(0, Encoding.ASCII.GetBytes(content), 0, content.Length);
        view.Flush();
    }
}
