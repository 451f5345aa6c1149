using ResilientHosting.Benchmarks.Reporting;
using ResilientHosting.Outages;
using ResilientHosting.Tests.Infrastructure;

// What pools do while a real PostgreSQL is away, and afterwards.
//   dotnet run -c Release --project benchmarks/ResilientHosting.Outages [-- [--quick] [--markdown FILE] [--fault NAME]]
var quick = args.Contains("--quick");
var markdown = Value("--markdown");
var only = Value("--fault");
var faultTime = quick ? TimeSpan.FromSeconds(2.2) : TimeSpan.FromSeconds(3.5);
var times = quick
    ? new OutageTimes(Before: TimeSpan.FromSeconds(0.3), After: TimeSpan.FromSeconds(1))
    : new OutageTimes(Before: TimeSpan.FromSeconds(0.5), After: TimeSpan.FromSeconds(1.5));
var limits = new PoolLimits(MaxSize: 8, AcquireTimeout: TimeSpan.FromSeconds(2));

if (!PostgreSqlServer.IsInstalled)
{
    Console.Error.WriteLine("PostgreSQL is not installed; this benchmark starts a server of its own. On Debian: apt-get install postgresql.");
    return 1;
}

var faults = Fault.All(faultTime).Where(fault => only is null || fault.Name == only).ToList();
if (faults.Count == 0)
{
    var names = string.Join(", ", Fault.All(faultTime).Select(fault => $"\"{fault.Name}\""));
    Console.Error.WriteLine($"There is no fault \"{only}\". The faults are {names}.");
    return 1;
}

// When a command times out, Npgsql blocks its thread until its cancel request is through; on a small machine the time-outs of every pool
// would wait for new threads, and that is not what is measured here.
ThreadPool.SetMinThreads(64, 64);

var reports = new List<OutageReport>();
await using (var server = await PostgreSqlServer.StartAsync())
{
    foreach (var fault in faults)
    {
        foreach (var start in Contestants.All(limits))
        {
            await using var proxy = new FaultProxy(server.Port);
            await using var pool = await start(proxy.Port);
            Console.Error.WriteLine($"{fault.Name}: {pool.Name}");
            reports.Add(await new OutageRun(pool, new Backend(server, proxy), limits, times).RunAsync(fault));
        }
    }
}

Console.WriteLine(OutageReport.Legend);
Table[] tables = [OutageReport.ToTable(reports), await Spike.RunAsync()];
Console.WriteLine(string.Join(Environment.NewLine, tables.Select(table => table.ToText())));
if (markdown is not null)
{
    await File.WriteAllTextAsync(markdown, string.Join(Environment.NewLine, tables.Select(table => table.ToMarkdown())));
}

return 0;

string? Value(string option) => Array.IndexOf(args, option) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
