using System.Globalization;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Retire;

/// <summary>What a process has after many reloads: no more than after a few.</summary>
[Collection(nameof(LifetimeProcesses))]
public sealed class LongLifeTests(ReloadableProject project)
{
    private const int WarmUp = 5;
    private const int Reloads = 30;

    [Fact]
    public async Task ThirtyReloads_LeaveNothingBehind()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Handles and threads are counted in /proc.");
        await using var app = await ReloadableApp.StartAsync(project);
        await app.ReloadAsync(() => project.Replace("Program.cs", "app.Run();", LoadedGenerations.Endpoint + "app.Run();"));
        var greeting = "original";
        var before = new ProcessCounts();
        for (var reload = 1; reload <= WarmUp + Reloads; reload++)
        {
            await app.ReloadAsync(() => project.EditGreeting(greeting, greeting = $"reload {reload}"));
            Assert.Equal(greeting, await app.GetAsync("/"));
            if (reload == WarmUp)
            {
                await LoadedGenerations.WaitForOneAsync(app);
                before = ProcessCounts.Of(app.ProcessId);
            }
        }

        await LoadedGenerations.WaitForOneAsync(app);

        Assert.Equal(before, ProcessCounts.Of(app.ProcessId));
        Assert.Equal(1, before.GenerationThreads);
        LoadedGenerations.AssertNoneMentioned(app);
    }
}

/// <summary>What an application is asked about itself: how many generations its process has loaded.</summary>
internal static class LoadedGenerations
{
    /// <summary>
    /// Code that answers. Each generation signs a list that outlives it; the runtime's own list forgets a generation as soon as it is told to
    /// unload, whether or not it does.
    /// </summary>
    public const string Endpoint = """
        if (AppContext.GetData("generations") is not List<WeakReference> generations)
        {
            AppContext.SetData("generations", generations = []);
        }

        generations.Add(new WeakReference(System.Reflection.Assembly.GetExecutingAssembly()));
        app.MapGet("/loaded", () =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            return generations.Count(generation => generation.IsAlive);
        });

        """;

    public static void AssertNoneMentioned(ReloadableApp app)
    {
        var lines = app.Console.Since(0).Where(line => line.Contains("stays in memory", StringComparison.Ordinal)).ToArray();
        Assert.True(lines.Length == 0, string.Join('\n', lines));
    }

    /// <summary>Asks until only the serving one is left.</summary>
    public static async Task WaitForOneAsync(ReloadableApp app)
    {
        using var limit = new CancellationTokenSource(ConsoleLines.Timeout);
        try
        {
            while (await app.Client.GetStringAsync("/loaded", limit.Token) != "1")
            {
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"Old generations stay loaded. The process printed:\n{app.Console}");
        }
    }
}

/// <summary>What of a process can be counted exactly.</summary>
internal sealed record ProcessCounts
{
    private static readonly string[] Protocols = ["tcp", "tcp6"];

    public int Listeners { get; private init; }

    public int FileWatchers { get; private init; }

    public int GenerationThreads { get; private init; }

    public static ProcessCounts Of(int process)
    {
        var folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{process}");
        var handles = Directory.GetFileSystemEntries(folder + "/fd").Select(handle => new FileInfo(handle).LinkTarget).OfType<string>().ToArray();
        var listening = Protocols
            .SelectMany(protocol => File.ReadLines($"{folder}/net/{protocol}").Skip(1))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(columns => columns[3] == "0A")
            .Select(columns => $"socket:[{columns[9]}]")
            .ToHashSet();
        return new ProcessCounts
        {
            Listeners = handles.Count(listening.Contains),
            FileWatchers = handles.Count(handle => handle == "anon_inode:inotify"),
            GenerationThreads = Directory.GetDirectories(folder + "/task").Count(IsOfAGeneration),
        };
    }

    private static bool IsOfAGeneration(string task)
    {
        try
        {
            return File.ReadAllText(task + "/comm").StartsWith("generation ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            // It has ended since it was listed.
            return false;
        }
    }
}
