using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ResilientHosting.Benchmarks.Reporting;

/// <summary>What one part of the benchmarks measured, when and where. The committed files in benchmarks/results make the page.</summary>
/// <param name="Name">The part, and the name of its file.</param>
/// <param name="Measured">When it began.</param>
/// <param name="Machine">Where it ran.</param>
/// <param name="IsQuick">Whether it was a run that only shows that everything works.</param>
internal sealed record Results(string Name, DateTimeOffset Measured, Machine Machine, bool IsQuick)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.Strict,
    };

    public static string Repository { get; } = Path.GetFullPath(Path.Combine(SourceDirectory(), "..", ".."));

    private static string Folder { get; } = Path.Combine(Repository, "benchmarks", "results");

    /// <summary>Gets a value indicating whether the part ran to its end.</summary>
    public bool IsComplete { get; init; }

    /// <summary>Gets what was not measured, and why.</summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];

    public IReadOnlyList<Row> Rows { get; init; } = [];

    /// <summary>Gets the results of a part, or <see langword="null"/> if it has never been measured.</summary>
    public static Results? Find(string name) =>
        File.Exists(PathOf(name)) ? JsonSerializer.Deserialize<Results>(File.ReadAllText(PathOf(name)), Json) : null;

    /// <summary>Gets all that are kept, by name.</summary>
    public static IEnumerable<Results> All() => Directory.Exists(Folder)
        ? Directory.EnumerateFiles(Folder, "*.json").Order(StringComparer.Ordinal)
            .Select(file => Find(Path.GetFileNameWithoutExtension(file))!)
        : [];

    public void Save()
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(PathOf(Name), JsonSerializer.Serialize(this, Json) + "\n");
    }

    private static string PathOf(string name) => Path.Combine(Folder, name + ".json");

    private static string SourceDirectory([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
