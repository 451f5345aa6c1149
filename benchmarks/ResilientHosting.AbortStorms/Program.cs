using ResilientHosting.AbortStorms;
using ResilientHosting.Benchmarks.Reporting;

// What clients that leave do to plain ASP.NET Core and to ours, in the same run.
//   dotnet run -c Release --project benchmarks/ResilientHosting.AbortStorms [-- [--quick] [--markdown FILE] [--only matrix|posts|storm]]
if (args is ["clients", var port])
{
    await new StormClients(new Uri($"http://127.0.0.1:{port}")).ObeyAsync(Console.In, Console.Out);
    return 0;
}

var quick = args.Contains("--quick");
var markdown = Value("--markdown");
var only = Value("--only");
var parts = new Dictionary<string, Func<Task<Table>>>
{
    ["matrix"] = () => new Matrix(Aborts: quick ? 20 : 200).RunAsync(),
    ["posts"] = () => new CompletePosts(Posts: quick ? 60 : 600).RunAsync(),
    ["storm"] = () => (quick ? new Storm(Rounds: 3, Requests: 256) : new Storm(Rounds: 20, Requests: 512)).RunAsync(),
};
if (only is not null && !parts.ContainsKey(only))
{
    Console.Error.WriteLine($"There is no part \"{only}\". The parts are {string.Join(", ", parts.Keys)}.");
    return 1;
}

var tables = new List<Table>();
foreach (var (name, runAsync) in parts.Where(part => only is null || part.Key == only))
{
    Console.Error.WriteLine(name);
    var table = await runAsync();
    Console.WriteLine(table.ToText());
    tables.Add(table);
}

if (markdown is not null)
{
    await File.WriteAllTextAsync(markdown, string.Join(Environment.NewLine, tables.Select(table => table.ToMarkdown())));
}

return 0;

string? Value(string option) => Array.IndexOf(args, option) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
