using ResilientHosting.AbortStorms;
using ResilientHosting.Benchmarks.Reporting;

// What clients that leave do to plain ASP.NET Core, to ours, and to the servers of another platform.
//   dotnet run -c Release --project benchmarks/ResilientHosting.AbortStorms [-- [--quick] [--record] [--only PART]]
if (args is ["clients", var port])
{
    await new StormClients(new Uri($"http://127.0.0.1:{port}")).ObeyAsync(Console.In, Console.Out);
    return 0;
}

var quick = args.Contains("--quick");
var only = Array.IndexOf(args, "--only") is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
var parts = new Dictionary<string, Func<Recorder, Task>>
{
    ["aborts"] = new Matrix(Aborts: quick ? 20 : 60).RunAsync,
    ["abort-peers"] = new PeerComparison(Aborts: quick ? 20 : 100).RunAsync,
    ["complete-posts"] = new CompletePosts(Posts: quick ? 60 : 300).RunAsync,
    ["storm"] = (quick ? new Storm(Rounds: 3, Requests: 256) : new Storm(Rounds: 12, Requests: 512)).RunAsync,
};
if (only is not null && !parts.ContainsKey(only))
{
    Console.Error.WriteLine($"There is no part \"{only}\". The parts are {string.Join(", ", parts.Keys)}.");
    return 2;
}

foreach (var (name, measureAsync) in parts.Where(part => only is null || part.Key == only))
{
    Console.Error.WriteLine(name);
    var recorder = new Recorder(name, args);
    await measureAsync(recorder);
    recorder.Complete();
}

return 0;
