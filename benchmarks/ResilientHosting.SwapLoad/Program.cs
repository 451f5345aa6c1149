using ResilientHosting.Benchmarks.DevServers;
using ResilientHosting.Benchmarks.Reporting;
using ResilientHosting.SwapLoad;

// Requests lost across reloads of the sample, as wrk and h2load count them (Debian: apt-get install wrk nghttp2-client).
//   dotnet run -c Release --project benchmarks/ResilientHosting.SwapLoad [-- [--quick] [--record]]
var (requests, swaps) = args.Contains("--quick") ? (20_000L, 3) : (400_000L, 12);
var recorder = new Recorder("swaps", args);
using var workshop = new Workshop();
var solution = await SampleSolution.CreateAsync(workshop);
foreach (var scenario in Scenario.All(workshop.CreateFolder("certificate")))
{
    if (!scenario.Tool.IsInstalled)
    {
        recorder.LeaveOut($"{scenario.Name}: {scenario.Tool.Program} is not installed (Debian: apt-get install wrk nghttp2-client)");
        continue;
    }

    Console.Error.WriteLine(scenario.Name);
    var result = await Run.ExecuteAsync(solution, scenario, requests, swaps, CancellationToken.None);
    recorder.Add(
        [("protocol", scenario.Name), ("load", $"{scenario.Tool.Program} {string.Join(' ', scenario.Tool.Arguments)}")],
        [
            ("requests", result.Load.Requests), ("failed", result.Load.Failed), ("swaps", result.Swaps),
            ("worst ms", result.Load.Worst.TotalMilliseconds), ("save to served ms", result.Served.TotalMilliseconds),
        ]);
}

recorder.Complete();
return recorder.Rows.All(row => row.Value("failed") == 0) ? 0 : 1;
