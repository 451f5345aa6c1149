using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>The loop over a real folder with real events; the compiler is a delegate that reads the file.</summary>
public sealed class BuildLoopTests : IDisposable
{
    private const int Saves = 300;

    private static readonly BuildResult Nothing = new(null, []);

    private readonly TemporaryFolder _folder = new();
    private readonly SourceWatcher _watcher;

    public BuildLoopTests()
    {
        _folder.Write("Program.cs", "0");
        _watcher = new SourceWatcher(
            new SourceTree(_folder.Path), new DevReloaderOptions(), TimeProvider.System, new ReloadConsole(TextWriter.Null));
        _watcher.Start();
    }

    public void Dispose()
    {
        _watcher.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Run_WithANewerSave_GivesTheBuildUpAndBuildsThat()
    {
        var began = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var builds = 0;
        var loop = new BuildLoop<BuildResult>(_watcher, TimeProvider.System, (_, token) =>
        {
            if (Interlocked.Increment(ref builds) == 1)
            {
                began.SetResult();

                // A build that nobody gave up would stand here until the test's time limit.
                Assert.True(token.WaitHandle.WaitOne(KestrelTestHost.Timeout));
                token.ThrowIfCancellationRequested();
            }

            return Task.FromResult(Nothing);
        });

        _folder.Write("Program.cs", "1");
        var finished = RunOnceAsync(loop, TestContext.Current.CancellationToken);
        await began.Task.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);
        _folder.Write("Program.cs", "2, longer");

        Assert.NotNull(await finished.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken));
        Assert.Equal(2, builds);
    }

    [Fact]
    public async Task Run_WithTheEditUndoneMeanwhile_BuildsNothingMore()
    {
        var loop = new BuildLoop<BuildResult>(_watcher, TimeProvider.System, (_, _) =>
        {
            _folder.Write("Program.cs", "0");
            return Task.FromResult(Nothing);
        });

        _folder.Write("Program.cs", "1");

        Assert.Null(await RunOnceAsync(loop, TestContext.Current.CancellationToken).WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Run_WithAFailingBuild_PassesTheFailureOn()
    {
        var loop = new BuildLoop<BuildResult>(_watcher, TimeProvider.System, (_, _) => throw new InvalidOperationException("broken"));
        _folder.Write("Program.cs", "1");

        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            RunOnceAsync(loop, TestContext.Current.CancellationToken).WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Run_WithRandomSaves_BuildsOneAtATimeAndTheLastContentLast()
    {
        const int seed = 20261121;
        var random = new Random(seed);
        using var stop = new CancellationTokenSource();
        using var builds = new SemaphoreSlim(0);
        var (running, overlapping, built) = (0, 0, "");
        var loop = new BuildLoop<BuildResult>(_watcher, TimeProvider.System, (_, token) =>
        {
            Interlocked.Add(ref overlapping, Interlocked.Increment(ref running) - 1);
            try
            {
                var read = Read();
                for (var yields = read.Length; yields > 0; yields--)
                {
                    Thread.Yield();
                    token.ThrowIfCancellationRequested();
                }

                Volatile.Write(ref built, read);
                return Task.FromResult(Nothing);
            }
            finally
            {
                Interlocked.Decrement(ref running);
                builds.Release();
            }
        });
        var loopEnded = RunUntilAsync(loop, stop.Token);

        var last = "";
        for (var save = 1; save <= Saves; save++)
        {
            last = $"{save} {new string('x', random.Next(40))}";
            Save(last, random.Next(3));
            if (random.Next(8) == 0)
            {
                // Now and then a build gets to end before the next save; most saves come in bursts.
                await builds.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);
            }
        }

        while (Volatile.Read(ref built) != last && await builds.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken))
        {
            await Task.Yield();
        }

        await stop.CancelAsync();
        await loopEnded.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);
        Assert.True(built == last, $"Seed {seed}: \"{last}\" was saved last, \"{built}\" was built last.");
        Assert.True(overlapping == 0, $"Seed {seed}: {overlapping} builds began while another ran.");
    }

    private string Read()
    {
        try
        {
            return File.ReadAllText(_folder.PathOf("Program.cs"));
        }
        catch (FileNotFoundException)
        {
            return "";
        }
    }

    /// <summary>Saves as editors do: into the file, over it, or after deleting it.</summary>
    private void Save(string content, int how)
    {
        var path = _folder.PathOf("Program.cs");
        switch (how)
        {
            case 0:
                File.WriteAllText(path, content);
                break;
            case 1:
                File.Move(_folder.Write("draft", content), path, overwrite: true);
                break;
            default:
                File.Delete(path);
                File.WriteAllText(path, content);
                break;
        }
    }

    private async Task RunUntilAsync(BuildLoop<BuildResult> loop, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await RunOnceAsync(loop, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The test has seen enough.
        }
    }

    private async Task<FinishedBuild<BuildResult>?> RunOnceAsync(BuildLoop<BuildResult> loop, CancellationToken stop) =>
        await loop.RunAsync(await _watcher.WaitForChangesAsync(stop), stop);
}
