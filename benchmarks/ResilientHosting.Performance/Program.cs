using ResilientHosting.Benchmarks.Reporting;
using ResilientHosting.Performance;

// Composes docs/performance.md and its pictures from the template beside this file and the results in benchmarks/results.
//   dotnet run -c Release --project benchmarks/ResilientHosting.Performance
var archive = new Archive();
var pictures = Path.Combine(Results.Repository, "docs", "images", "performance");
Directory.CreateDirectory(pictures);
foreach (var old in Directory.EnumerateFiles(pictures, "*.svg"))
{
    File.Delete(old);
}

using var stream = typeof(Archive).Assembly.GetManifestResourceStream("performance.md")!;
using var reader = new StreamReader(stream);
var template = new Template(await reader.ReadToEndAsync());
foreach (var aim in Aim.All.Where(aim => !template.Explains(aim.Id)))
{
    throw new FormatException($"The template does not say what it means if the aim \"{aim.Id}\" is missed; add {{{{#missed {aim.Id}}}}} … {{{{/missed}}}}.");
}

var page = template.Fill(Fill, IsMissed);
await File.WriteAllTextAsync(Path.Combine(Results.Repository, "docs", "performance.md"), page);
return 0;

string Fill(string kind, string name) => (kind, name) switch
{
    ("aims", _) => Aim.Verdicts(archive),
    ("machines", _) => archive.Machines(),
    ("about", _) => archive.About(name),
    ("table", _) => Tables.All.TryGetValue(name, out var create) ? create(archive) : Pivot.Everything(archive.Rows(name)),
    ("plot", _) => Draw(name),
    _ => throw new FormatException($"The template asks for a \"{kind}\"; there are aims, machines, about, table and plot."),
};

string Draw(string name)
{
    var (title, svg) = Pictures.All[name](archive);
    if (svg is null)
    {
        return "";
    }

    File.WriteAllText(Path.Combine(pictures, name + ".svg"), svg);
    return $"![{title}](images/performance/{name}.svg)";
}

bool IsMissed(string id) => Aim.All.Single(aim => aim.Id == id).IsMet(archive) == false;
