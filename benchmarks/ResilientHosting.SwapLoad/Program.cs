using System.Globalization;
using ResilientHosting.Benchmarks.DevServers;
using ResilientHosting.Benchmarks.Reporting;
using ResilientHosting.SwapLoad;

// Requests lost across reloads of the sample, as wrk and h2load count them (Debian: apt-get install wrk nghttp2-client).
//   dotnet run -c Release --project benchmarks/ResilientHosting.SwapLoad [-- [--quick] [--markdown FILE]]
var quick = args.Contains("--quick");
var (requests, swaps) = quick ? (20_000L, 3) : (500_000L, 15);
using var workshop = new Workshop();
var solution = await SampleSolution.CreateAsync(workshop);
var rows = new List<string[]>();
var failed = 0L;
foreach (var scenario in Scenario.All(workshop.CreateFolder("certificate")))
{
    Console.Error.WriteLine(scenario.Name);
    var result = await Run.ExecuteAsync(solution, scenario, requests, swaps, CancellationToken.None);
    failed += result.Load.Failed;
    rows.Add(
    [
        scenario.Name, $"{scenario.Tool.Program} {string.Join(' ', scenario.Tool.Arguments)}", Show(result.Load.Requests), Show(result.Load.Failed),
        Show(result.Swaps), Show((long)result.Load.Worst.TotalMilliseconds), Show((long)result.Served.TotalMilliseconds),
    ]);
}

var table = new Table(["protocol", "load", "requests", "failed", "swaps", "worst ms", "save to served ms"], rows);
Console.WriteLine(table.ToText());
if (Array.IndexOf(args, "--markdown") is >= 0 and var at && at + 1 < args.Length)
{
    await File.WriteAllTextAsync(args[at + 1], table.ToMarkdown());
}

return failed == 0 ? 0 : 1;

static string Show(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
