using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>What holds reloads back, or asks for them, from outside the process.</summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class GateTests(ReloadableProject project)
{
    private static readonly TimeSpan BetweenWrites = TimeSpan.FromMilliseconds(50);

    [Fact]
    public async Task Edits_WhileGitIsAtWork_AreOneReloadAfterwards()
    {
        var git = Path.Combine(project.Folder, ".git");
        Directory.CreateDirectory(git);
        try
        {
            await using var app = await ReloadableApp.StartAsync(project);
            var mark = app.Console.Count;

            // A lock is believed for 10 s. The clock of its file system may be ahead.
            var indexLock = Path.Combine(git, "index.lock");
            await File.WriteAllTextAsync(indexLock, "", TestContext.Current.CancellationToken);
            File.SetLastWriteTimeUtc(indexLock, DateTime.UtcNow.AddSeconds(9));
            await app.ExpectAsync("git is at work (index.lock); waiting until it is done", () => project.EditGreeting("original", "half"));
            project.EditGreeting("half", "done");
            project.Write("Added.cs", "namespace Added; class One;");
            await app.ExpectAsync("-> generation 1 ", () => File.Delete(indexLock));

            Assert.Equal("done", await app.GetAsync("/"));
            Assert.Equal("One", await app.GetAsync("/added"));
            Assert.Single(app.Console.Since(mark), line => line.Contains("-> generation ", StringComparison.Ordinal));
        }
        finally
        {
            Directory.Delete(git, recursive: true);
        }
    }

    [Fact]
    public async Task Edit_WhileSomebodyBuilds_IsAReloadAfterwards()
    {
        await using var app = await ReloadableApp.StartAsync(project);
        var output = Path.Combine(Path.GetDirectoryName(project.AssemblyPath)!, "Foreign.dll");
        try
        {
            await using (new Timer(_ => File.WriteAllText(output, ""), null, TimeSpan.Zero, BetweenWrites))
            {
                await app.ExpectAsync("somebody builds the project", () => project.EditGreeting("original", "edited"));
            }

            await app.Console.WaitForAsync("-> generation 1 ");
            Assert.Equal("edited", await app.GetAsync("/"));
        }
        finally
        {
            File.Delete(output);
        }
    }

    [Fact]
    public async Task TriggerFile_Touched_IsAReload()
    {
        await using var app = await ReloadableApp.StartAsync(project, "--DevReloader:TriggerFile=reload.txt");
        var trigger = project.PathOf("reload.txt");
        try
        {
            await app.ExpectAsync("reload.txt touched -> generation 1 ", () => File.WriteAllText(trigger, ""));

            await app.ExpectAsync("reload.txt touched -> generation 2 ", () => File.SetLastWriteTimeUtc(trigger, DateTime.UtcNow.AddSeconds(2)));
        }
        finally
        {
            File.Delete(trigger);
        }
    }
}
