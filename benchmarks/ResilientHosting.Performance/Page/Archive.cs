using System.Globalization;
using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.Performance;

/// <summary>All results that are kept.</summary>
internal sealed class Archive
{
    private readonly Dictionary<string, Results?> _results = [];
    private readonly List<string> _machines;

    public Archive() => _machines = [.. Results.All().Select(results => $"{results.Machine}").Distinct()];

    /// <summary>The rows of a part; none if it was not measured.</summary>
    public IReadOnlyList<Row> Rows(string part) => Find(part)?.Rows ?? [];

    /// <summary>The rows of a part that have a label.</summary>
    public IReadOnlyList<Row> Rows(string part, string label, string text) => [.. Rows(part).Where(row => row.Is(label, text))];

    public Results? Find(string part)
    {
        if (!_results.TryGetValue(part, out var results))
        {
            _results[part] = results = Results.Find(part);
        }

        return results;
    }

    /// <summary>The machines that the results come from.</summary>
    public string Machines() => string.Join('\n', _machines.Select((machine, number) => $"- Machine {Letter(number)}: {machine}"));

    /// <summary>One paragraph that says when and where a part was measured, and what it lacks.</summary>
    public string About(string part)
    {
        if (Find(part) is not { } results)
        {
            return $"*Not measured yet: there is no `benchmarks/results/{part}.json`.*";
        }

        List<string> sentences =
        [
            string.Create(CultureInfo.InvariantCulture, $"Measured {results.Measured:yyyy-MM-dd HH:mm} UTC")
                + $" on machine {Letter(_machines.IndexOf($"{results.Machine}"))}, at commit {results.Machine.Commit}.",
        ];
        if (results.IsQuick)
        {
            sentences.Add("**A quick run: it shows that everything works, and its figures mean little.**");
        }

        if (!results.IsComplete)
        {
            sentences.Add("**The run did not come to its end; this is what it had measured until then.**");
        }

        sentences.AddRange(results.LeftOut.Select(what => $"Left out: {what}."));
        return $"<sub>{string.Join(' ', sentences)}</sub>";
    }

    private static char Letter(int number) => (char)('A' + number);
}
