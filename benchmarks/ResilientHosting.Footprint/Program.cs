using ResilientHosting.Benchmarks.DevServers;
using ResilientHosting.Benchmarks.Features;
using ResilientHosting.Benchmarks.Reporting;
using ResilientHosting.Footprint;

// Time to the first answer and memory after it: in Production with each feature, and in Development beside dotnet watch. Linux only.
//   dotnet run -c Release --project benchmarks/ResilientHosting.Footprint [-- [--quick] [--record]]
if (args is ["serve", var features])
{
    await MeasuredApplication.RunAsync(Enum.Parse<Feature>(features));
    return 0;
}

if (!OperatingSystem.IsLinux())
{
    Console.Error.WriteLine("Memory is read from /proc, which only Linux has.");
    return 1;
}

var quick = args.Contains("--quick");
var recorder = new Recorder("footprint", args);
await MeasureAsync("Production", quick ? 3 : 7, Production.Solution, [.. Production.Contestants]);
using var workshop = new Workshop();
var sample = await SampleSolution.CreateAsync(workshop);
await MeasureAsync("Development", quick ? 1 : 2, sample, Development.Reloader);
var plain = await Development.WithoutReloaderAsync(sample);
await MeasureAsync("Development", quick ? 1 : 2, plain, Development.Plain, Development.Watch);
recorder.Complete();
return 0;

// In turns, so that a noisy machine disturbs all alike.
async Task MeasureAsync(string environment, int rounds, Solution solution, params Contestant[] contestants)
{
    var measured = contestants.ToDictionary(contestant => contestant, _ => new List<Footprint>());
    for (var round = 0; round < rounds; round++)
    {
        foreach (var contestant in contestants)
        {
            Console.Error.WriteLine($"{environment}: {contestant.Name}");
            measured[contestant].Add(await Footprint.MeasureAsync(solution, contestant, CancellationToken.None));
        }
    }

    foreach (var (contestant, footprints) in measured)
    {
        recorder.Add(
            [("environment", environment), ("application", contestant.Name)],
            [
                ("first answer ms", footprints.Select(footprint => footprint.FirstAnswer.TotalMilliseconds).Median()),
                ("RSS MB", footprints.Select(footprint => footprint.AtStart.ResidentMegabytes).Median()),
                ("processes", footprints[0].AtStart.Processes),
                ("RSS MB after edits", footprints.Select(footprint => footprint.AfterEdits?.ResidentMegabytes).OfType<double>().Median()),
            ]);
    }
}
