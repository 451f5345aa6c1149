using System.Globalization;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class FolderEventsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Queue_Overflown_IsALookAtTheFolderThatCanBeWatchedAgain()
    {
        const string Limit = "/proc/sys/fs/inotify/max_queued_events";
        Assert.SkipUnless(File.Exists(Limit), "Other systems than Linux have no such queue, which cannot be installed.");
        var length = int.Parse(await File.ReadAllTextAsync(Limit, TestContext.Current.CancellationToken), CultureInfo.InvariantCulture);
        Assert.SkipUnless(length <= 100_000, "The queue is too long to be filled. Another cannot be installed.");

        using var goOn = new ManualResetEventSlim();
        var overflown = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var named = new ConsoleLines();
        using var events = new FolderEvents(new ReloadConsole(TextWriter.Null), "", OnFile, folder => overflown.TrySetResult(folder));
        var folders = new Dictionary<string, bool> { [_folder.Path] = true };
        Assert.Equal([_folder.Path], events.Watch(folders));

        var (one, other) = (_folder.Write("one", ""), _folder.PathOf("other"));
        for (var renames = 0; renames < length; renames++)
        {
            File.Move(one, other);
            (one, other) = (other, one);
        }

        goOn.Set();
        Assert.Equal(_folder.Path, await overflown.Task.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken));
        Assert.False(events.Watches(_folder.Path));
        Assert.Equal([_folder.Path], events.Watch(folders));
        _folder.Write("afterwards", "");
        await named.WaitForAsync("afterwards");

        void OnFile(string path)
        {
            Assert.True(goOn.Wait(KestrelTestHost.Timeout));
            named.Add(path);
        }
    }

    [Fact]
    public async Task Outputs_InAWatchedTree_AreNotHeard()
    {
        _folder.Write("obj/Debug/Generated.cs", "one");
        var named = new ConsoleLines();
        using var events = new FolderEvents(new ReloadConsole(TextWriter.Null), "", named.Add, named.Add);
        Assert.Single(events.Watch(new Dictionary<string, bool> { [_folder.Path] = true }));

        _folder.Write("obj/Debug/Generated.cs", "two");
        _folder.Write("obj/Release/deep/Generated.cs", "");
        File.Move(_folder.PathOf("obj/Debug/Generated.cs"), _folder.PathOf("obj/Debug/Renamed.cs"));
        _folder.Write("Program.cs", "");

        await named.WaitForAsync("Program.cs");
        Assert.DoesNotContain(named.Since(0), path => path.Contains("obj", StringComparison.Ordinal));
    }

    [Fact]
    public void Watch_OfOtherFolders_EndsThatOfTheFirst()
    {
        var (first, second) = (Directory.CreateDirectory(_folder.PathOf("first")).FullName, Directory.CreateDirectory(_folder.PathOf("second")).FullName);
        using var events = new FolderEvents(new ReloadConsole(TextWriter.Null), "", _ => { }, _ => { });

        Assert.Equal([first], events.Watch(new Dictionary<string, bool> { [first] = false }));
        Assert.Equal([first, second], events.Watch(new Dictionary<string, bool> { [first] = true, [second] = true }));
        Assert.Empty(events.Watch(new Dictionary<string, bool> { [second] = true }));

        Assert.False(events.Watches(first));
        Assert.True(events.Watches(second));
    }

    [Fact]
    public void Watch_OfAFolderThatIsGone_IsNoReasonToSayAnything()
    {
        var said = new StringWriter();
        using var events = new FolderEvents(new ReloadConsole(said), "", _ => { }, _ => { });

        Assert.Empty(events.Watch(new Dictionary<string, bool> { [_folder.PathOf("gone")] = true }));

        Assert.Equal("", said.ToString());
    }
}
