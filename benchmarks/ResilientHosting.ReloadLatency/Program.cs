using System.Globalization;
using System.Runtime.InteropServices;
using ResilientHosting.Benchmarks.DevServers;
using ResilientHosting.Benchmarks.Reporting;
using ResilientHosting.ReloadLatency;

// From saving a source file until a new connection gets the new answer: ours, dotnet watch, and the servers of other platforms.
//   dotnet run -c Release --project benchmarks/ResilientHosting.ReloadLatency -- file|sample|mvc|growth
//     [--quick] [--record] [--no-peers] [--files 10,100,300,1000]
var quick = args.Contains("--quick");
var peers = !args.Contains("--no-peers");

// Interrupted, it still ends what it started and removes what it wrote.
using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var workshop = new Workshop();
var parts = new Dictionary<string, Func<Recorder, Task>>
{
    ["file"] = MeasureFileAsync,
    ["sample"] = async recorder => await MeasureAsync(await SampleSolution.CreateAsync(workshop), recorder),
    ["mvc"] = async recorder => await MeasureAsync(await MvcSolution.CreateAsync(workshop), recorder),
    ["growth"] = MeasureGrowthAsync,
};
if (args is not [var name, ..] || !parts.TryGetValue(name, out var measureAsync))
{
    Console.Error.WriteLine($"Name a part: {string.Join(", ", parts.Keys)}.");
    return 2;
}

try
{
    var recorder = new Recorder($"reload-{name}", args);
    await measureAsync(recorder);
    recorder.Complete();
    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 130;
}

async Task MeasureFileAsync(Recorder recorder)
{
    await MeasureAsync(await OneFile.CreateDotnetAsync(workshop), recorder);
    foreach (var platform in peers ? OtherPlatform.All() : [])
    {
        if (platform.Tool.IsInstalled)
        {
            await RunAsync(platform.Create(workshop), platform.Contestant, recorder);
        }
        else
        {
            recorder.LeaveOut($"{platform.Contestant.Name}: not installed ({platform.Tool.Remedy})");
        }
    }
}

async Task MeasureGrowthAsync(Recorder recorder)
{
    var sizes = Value("--files") ?? (quick ? "10,100" : "10,100,300,1000");
    foreach (var size in sizes.Split(',').Select(size => int.Parse(size, CultureInfo.InvariantCulture)))
    {
        var solution = await GeneratedSolution.CreateAsync(workshop, size);
        await RunAsync(solution, Contestant.Ours with { Edits = 4 }, recorder);
        if (peers && GeneratedSolution.SizesForPeers.Contains(size))
        {
            // The edits before have left newer files, and a peer would spend its start on building them again.
            await BuildAsync(solution);
            await RunAsync(solution.WithEdits(GeneratedSolution.EditsForDelta), Contestant.WatchDelta with { Edits = 4 }, recorder);
            await BuildAsync(solution);
            await RunAsync(solution.WithEdits(GeneratedSolution.EditsForRestart), Contestant.WatchRestart with { Edits = 3 }, recorder);
        }
    }
}

static Task BuildAsync(Solution solution) => Workshop.DotnetAsync(solution.ProjectDirectory, "build", "-nologo", "-v:q");

async Task MeasureAsync(Solution solution, Recorder recorder)
{
    foreach (var contestant in peers ? Contestant.All : [Contestant.Ours])
    {
        await RunAsync(solution, contestant, recorder);
    }
}

async Task RunAsync(Solution solution, Contestant contestant, Recorder recorder)
{
    var before = recorder.Rows.Count;
    await Series.RunAsync(solution, contestant, quick ? Math.Min(3, contestant.Edits) : contestant.Edits, recorder, stop.Token);

    // All of it takes a while; whoever ends it early has seen what was measured.
    Console.Error.WriteLine(Table.Of([.. recorder.Rows.Skip(before)]).ToText());
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

string? Value(string option) => Array.IndexOf(args, option) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
