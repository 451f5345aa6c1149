using System.Diagnostics;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>File systems that tell nothing, that allow little, and an operating system that has run out of watches.</summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class FileSystemTests(ReloadableProject project)
{
    private const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly Dictionary<string, string> WithoutWatchersOfItsOwn = new() { ["DOTNET_hostBuilder__reloadConfigOnChange"] = "false" };

    [Fact]
    public async Task EditBehindAFuseMount_Saved_IsServed()
    {
        await using var mount = await RequiredMounts.MountOrSkipAsync("bindfs");
        await using var mounted = new ReloadableProject(Path.Combine(mount.Path, "solution"), ReloadableProject.AssetsOf("Reloadable"), "App", "Library");
        Directory.CreateDirectory(Path.Combine(mount.Path, "solution"));
        await mounted.InitializeAsync();
        await using var app = await ReloadableApp.StartAsync(mounted);
        await app.Console.WaitForAsync($"{mounted.Folder} is looked at every 300 ms instead: its file system (fuse");

        var behind = Path.Combine(mount.Behind, "solution", "App", "Program.cs");
        await app.ReloadAsync(() => File.WriteAllText(behind, File.ReadAllText(behind).Replace("\"original\"", "\"edited behind the mount\"", StringComparison.Ordinal)));

        Assert.Equal("edited behind the mount", await app.GetAsync("/"));
    }

    [Theory]
    [InlineData("watches", 524288)]
    [InlineData("instances", 1024)]
    public async Task InotifyLimitReached_AtTheStart_IsSaidOnceAndTheRestIsPolled(string what, int advised)
    {
        string[] unshare = ["unshare", "--user", "--map-root-user", "sh", "-c"];
        await RequireAsync([.. unshare, $"echo 1 > /proc/sys/user/max_inotify_{what}"]);

        // One folder can be watched, the application's. The library's can't.
        await using var app = ReloadableApp.Launch(
            project,
            WithoutWatchersOfItsOwn,
            [.. unshare, $"echo 1 > /proc/sys/user/max_inotify_{what} && exec \"$@\"", "sh", ReloadableProject.Dotnet, "exec", project.AssemblyPath]);
        await app.WaitUntilListeningAsync();
        await app.WaitUntilReadyAsync();
        Assert.StartsWith(
            $"dev reloader: the limit of inotify {what} is reached (user.max_inotify_{what} = 1); raise it with: sysctl user.max_inotify_{what}={advised}. ",
            Assert.Single(app.Console.Since(0), line => line.Contains("inotify", StringComparison.Ordinal)),
            StringComparison.Ordinal);

        await app.ReloadAsync(() => project.EditGreeting("original", "edited"));
        Assert.Equal("edited", await app.GetAsync("/"));
        var next = await app.ReloadAsync(() => project.Replace("../Library/Counter.cs", "Increment(ref _value)", "Increment(ref _value) + 100"));
        Assert.Equal($"generation {next}: 101", await app.GetAsync("/library"));
        Assert.Single(app.Console.Since(0), line => line.Contains("inotify", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Polling_ForcedByTheEnvironment_TakesNoWatchAndServesEdits()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux shows the watches of a process, which cannot be installed.");
        var environment = new Dictionary<string, string>(WithoutWatchersOfItsOwn) { ["DOTNET_USE_POLLING_FILE_WATCHER"] = "1" };
        await using var app = ReloadableApp.Launch(project, environment, ReloadableProject.Dotnet, "exec", project.AssemblyPath);
        await app.WaitUntilListeningAsync();
        await app.WaitUntilReadyAsync();
        Assert.DoesNotContain(
            new DirectoryInfo($"/proc/{app.ProcessId}/fd").GetFileSystemInfos(),
            file => file.LinkTarget?.Contains("inotify", StringComparison.Ordinal) == true);

        await app.ReloadAsync(() => project.EditGreeting("original", "edited"));

        Assert.Equal("edited", await app.GetAsync("/"));
    }

    [Fact]
    public async Task UnreadableFolderAndFile_WhileWatched_AreSaidOnceAndHeal()
    {
        await using var app = await StartWithoutPrivilegeAsync();
        await app.ReloadAsync(() => project.Write("Features/Orders.cs", "namespace Added; internal class Orders;"));

        var folder = project.PathOf("Features");
        await app.ExpectAsync($"{folder} can't be read (", () => SetMode(folder, UnixFileMode.None));
        await app.ReloadAsync(() => project.EditGreeting("original", "edited meanwhile"));
        Assert.Equal("edited meanwhile", await app.GetAsync("/"));
        Assert.Equal("Orders", await app.GetAsync("/added"));
        Assert.Single(app.Console.Since(0), line => line.Contains("can't be read", StringComparison.Ordinal));

        await app.ExpectAsync($"{folder} can be read again", () => SetMode(folder, Mine));
        await app.ReloadAsync(() => project.Write("Features/Orders.cs", "namespace Added; internal class Invoices;"));
        Assert.Equal("Invoices", await app.GetAsync("/added"));

        var file = project.PathOf("Features/Orders.cs");
        var failed = await app.ExpectAsync("keeps serving", () => SetMode(file, UnixFileMode.None));
        Assert.Contains("Features/Orders.cs: 1 error", failed, StringComparison.Ordinal);
        await app.ReloadAsync(() => SetMode(file, Mine));
        Assert.Equal("Invoices", await app.GetAsync("/added"));
    }

    /// <summary>Root may read everything; an ordinary user, as whom an application is developed, may not.</summary>
    private async Task<ReloadableApp> StartWithoutPrivilegeAsync()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no modes of files, which cannot be installed.");
        string[] drop = Environment.IsPrivilegedProcess ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];
        if (drop.Length > 0)
        {
            await RequireAsync([.. drop, "true"]);
        }

        var app = ReloadableApp.Launch(project, new Dictionary<string, string>(), [.. drop, ReloadableProject.Dotnet, "exec", project.AssemblyPath]);
        await app.WaitUntilListeningAsync();
        await app.WaitUntilReadyAsync();
        return app;
    }

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }

    private static async Task RequireAsync(string[] command)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has it. It cannot be installed.");
        try
        {
            await ServerProgram.RunAsync(new ProcessStartInfo(command[0], command[1..]));
        }
        catch (InvalidOperationException e)
        {
            Assert.Skip($"Not allowed here, which cannot be installed: {e.Message}");
        }
    }
}
