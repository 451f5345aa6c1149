using BenchmarkDotNet.Running;
using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.Benchmarks;

/// <summary>Benchmarks that are run together, and whose results are kept together.</summary>
/// <param name="Name">The name of the results.</param>
/// <param name="Types">The classes that hold them.</param>
internal sealed record Suite(string Name, params Type[] Types)
{
    public static readonly Suite[] All =
    [
        new("overhead", typeof(FeatureBenchmarks), typeof(ResourceBenchmarks), typeof(ToleranceBenchmarks), typeof(RepeatedGetBenchmarks)),
        new("pools", typeof(PoolBenchmarks)),
        new("sweep", typeof(SweepBenchmarks)),
    ];

    // Enough to warm up that methods are compiled a second time, with what the first has learnt. The defaults of BenchmarkDotNet take four times as long, for a third digit that another machine does not have.
    private static readonly string[] Job = ["--warmupCount", "7", "--iterationCount", "8", "--iterationTime", "250"];
    private static readonly string[] QuickJob = ["--warmupCount", "6", "--iterationCount", "3", "--iterationTime", "150"];

    public int Run(string[] args)
    {
        var recorder = new Recorder(Name, args);
        var job = args.Contains("--quick") ? QuickJob : Job;
        var summaries = BenchmarkSwitcher.FromTypes(Types)
            .Run(["--filter", "*", "--artifacts", Path.Combine(Results.Repository, "artifacts", "benchmarks"), .. job]);
        var failed = 0;
        foreach (var report in summaries.SelectMany(summary => summary.Reports))
        {
            var benchmark = report.BenchmarkCase;
            var name = $"{benchmark.Descriptor.Type.Name}.{benchmark.Descriptor.WorkloadMethod.Name}";
            if (report.ResultStatistics is not { } statistics)
            {
                recorder.LeaveOut($"{name}: it failed");
                failed++;
                continue;
            }

            recorder.Add(
                [("benchmark", name), .. benchmark.Parameters.Items.Select(parameter => (parameter.Name, $"{parameter.Value}"))],
                [
                    ("mean ns", statistics.Mean), ("deviation ns", statistics.StandardDeviation),
                    ("allocated B", report.GcStats.GetBytesAllocatedPerOperation(benchmark)),
                ]);
        }

        if (failed == 0)
        {
            recorder.Complete();
        }

        return failed;
    }
}
