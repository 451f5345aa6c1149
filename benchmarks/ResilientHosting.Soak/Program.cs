using System.Globalization;
using System.Runtime.InteropServices;
using ResilientHosting.Benchmarks.DevServers;
using ResilientHosting.Soak;

// A day of edits in a few minutes: the sample under light load, reloaded again and again, and what its process has then. Linux only.
//   dotnet run -c Release --project benchmarks/ResilientHosting.Soak [-- [--quick] [--reloads 300] [--every 50] [--markdown FILE]]
if (!OperatingSystem.IsLinux())
{
    Console.Error.WriteLine("Memory, handles and threads are read from /proc, which only Linux has.");
    return 1;
}

var quick = args.Contains("--quick");
var reloads = int.Parse(Value("--reloads") ?? (quick ? "60" : "300"), CultureInfo.InvariantCulture);
var every = int.Parse(Value("--every") ?? (quick ? "10" : "50"), CultureInfo.InvariantCulture);

// Interrupted, it still ends what it started and removes what it wrote.
using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var workshop = new Workshop();
try
{
    var sample = await ObservedSample.CreateAsync(workshop);
    await using var application = await Application.StartAsync(sample, stop.Token);
    await using var load = new LightLoad(application.Address, sample.Path);
    var samples = await Series.RunAsync(application, sample, reloads, every, stop.Token);
    var report = new Report(samples, await load.EndAsync(), application.Leaks);
    Console.WriteLine(report.Table.ToText());
    Console.WriteLine(report.Summary);
    if (Value("--markdown") is { } markdown)
    {
        await File.WriteAllTextAsync(markdown, report.Table.ToMarkdown() + "\n" + report.Summary, stop.Token);
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
