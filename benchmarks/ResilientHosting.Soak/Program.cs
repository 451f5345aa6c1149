using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using ResilientHosting.Benchmarks.DevServers;
using ResilientHosting.Benchmarks.Reporting;
using ResilientHosting.Soak;

// A day of edits in a few minutes: the sample under light load, reloaded again and again, and what its process has then. Linux only.
//   dotnet run -c Release --project benchmarks/ResilientHosting.Soak [-- [--quick] [--reloads 160] [--every 32] [--record]]
const string LeakMark = "stays in memory";
if (!OperatingSystem.IsLinux())
{
    Console.Error.WriteLine("Memory, handles and threads are read from /proc, which only Linux has.");
    return 1;
}

var quick = args.Contains("--quick");
var reloads = int.Parse(Value("--reloads") ?? (quick ? "40" : "160"), CultureInfo.InvariantCulture);
var every = int.Parse(Value("--every") ?? (quick ? "10" : "32"), CultureInfo.InvariantCulture);

// Interrupted, it still ends what it started and removes what it wrote.
using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var workshop = new Workshop();
try
{
    var recorder = new Recorder("soak", args);
    var sample = await ObservedSample.CreateAsync(workshop);
    var leaks = new ConcurrentQueue<string>();
    await using var server = await DevServer.StartAsync(sample, ObservedSample.RunBy(sample), stop.Token, line =>
    {
        if (line.Contains(LeakMark, StringComparison.Ordinal))
        {
            leaks.Enqueue(line);
        }
    });
    await using var load = new LightLoad(server.Address, sample.Path);
    var samples = await Series.RunAsync(server, sample, reloads, every, stop.Token);
    var (requests, failed) = await load.EndAsync();
    Report.Write(recorder, samples, requests, failed, leaks.Count);
    recorder.Complete();
    foreach (var leak in leaks)
    {
        Console.WriteLine(leak);
    }

    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 130;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

string? Value(string option) => Array.IndexOf(args, option) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
