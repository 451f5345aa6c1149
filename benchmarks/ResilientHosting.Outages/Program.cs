using ResilientHosting.Benchmarks.Reporting;
using ResilientHosting.Outages;
using ResilientHosting.Tests.Infrastructure;

// What pools do while a real PostgreSQL is away, and afterwards.
//   dotnet run -c Release --project benchmarks/ResilientHosting.Outages [-- [--quick] [--record] [--fault NAME]]
var quick = args.Contains("--quick");
var only = Value("--fault");
var faultTime = quick ? TimeSpan.FromSeconds(2.2) : TimeSpan.FromSeconds(3.5);
var times = quick
    ? new OutageTimes(Before: TimeSpan.FromSeconds(0.3), After: TimeSpan.FromSeconds(1))
    : new OutageTimes(Before: TimeSpan.FromSeconds(0.5), After: TimeSpan.FromSeconds(1.5));
var limits = new PoolLimits(MaxSize: 8, AcquireTimeout: TimeSpan.FromSeconds(2));

if (!PostgreSqlServer.IsInstalled)
{
    new Recorder("outages", args).LeaveOut("everything: PostgreSQL is not installed (Debian: apt-get install postgresql)");
    return 1;
}

var faults = Fault.All(faultTime).Where(fault => only is null ? !quick || fault.Name is "refuse" or "restart" : fault.Name == only).ToList();
if (faults.Count == 0)
{
    var names = string.Join(", ", Fault.All(faultTime).Select(fault => $"\"{fault.Name}\""));
    Console.Error.WriteLine($"There is no fault \"{only}\". The faults are {names}.");
    return 1;
}

// When a command times out, Npgsql blocks its thread until its cancel request is through; on a small machine the time-outs of every pool
// would wait for new threads, and that is not what is measured here.
ThreadPool.SetMinThreads(64, 64);

var recorder = new Recorder("outages", args);
await using (var server = await PostgreSqlServer.StartAsync())
{
    foreach (var fault in faults)
    {
        foreach (var start in Contestants.All(limits))
        {
            await using var proxy = new FaultProxy(server.Port);
            await using var pool = await start(proxy.Port);
            Console.Error.WriteLine($"{fault.Name}: {pool.Name}");
            recorder.Add((await new OutageRun(pool, new Backend(server, proxy), limits, times).RunAsync(fault)).ToRow());
        }
    }
}

Console.WriteLine(OutageReport.Legend);
recorder.Complete();

var spike = new Recorder("spike", args);
await Spike.RunAsync(spike);
spike.Complete();
return 0;

string? Value(string option) => Array.IndexOf(args, option) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
