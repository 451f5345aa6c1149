using System.Globalization;
using System.Runtime.InteropServices;
using ResilientHosting.Benchmarks.DevServers;
using ResilientHosting.ReloadLatency;

// From saving a source file until a new connection gets the new answer: ours and dotnet watch, in the same sitting.
//   dotnet run -c Release --project benchmarks/ResilientHosting.ReloadLatency
//     [-- [--quick] [--no-peers] [--files 10,100,300,1000] [--only generated|mvc|sample] [--markdown FILE]]
var quick = args.Contains("--quick");
var only = Value("--only");
var markdown = Value("--markdown");
var contestants = args.Contains("--no-peers") ? [Contestant.Ours] : Contestant.All;
var sizes = (Value("--files") ?? (quick ? "10" : "10,100,300,1000")).Split(',').Select(size => int.Parse(size, CultureInfo.InvariantCulture));

// Interrupted, it still ends what it started and removes what it wrote.
using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var workshop = new Workshop();
(string Name, Func<Task<Solution>> CreateAsync)[] parts =
[
    ("sample", () => SampleSolution.CreateAsync(workshop)),
    ("mvc", () => MvcSolution.CreateAsync(workshop)),
    .. sizes.Select(size => ("generated", (Func<Task<Solution>>)(() => GeneratedSolution.CreateAsync(workshop, size)))),
];
if (only is not null && parts.All(part => part.Name != only))
{
    Console.Error.WriteLine($"There is no part \"{only}\". The parts are {string.Join(", ", parts.Select(part => part.Name).Distinct())}.");
    return 1;
}

var measurements = new List<Measurement>();
foreach (var (_, createAsync) in parts.Where(part => only is null || part.Name == only))
{
    var solution = await createAsync();
    foreach (var contestant in contestants)
    {
        Console.Error.WriteLine($"{solution.Name}, {contestant.Name}");
        try
        {
            var series = await Series.RunAsync(solution, contestant, quick ? 3 : contestant.Edits, stop.Token);
            measurements.AddRange(series);

            // All of it takes half an hour; whoever ends it early has seen what was measured.
            Console.Error.WriteLine(Report.Create(series, [contestant]).ToText());
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 130;
        }
    }
}

var table = Report.Create(measurements, contestants);
Console.WriteLine(table.ToText());
if (markdown is not null)
{
    await File.WriteAllTextAsync(markdown, table.ToMarkdown());
}

return 0;

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

string? Value(string option) => Array.IndexOf(args, option) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
