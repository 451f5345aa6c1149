namespace ResilientHosting.Benchmarks.Reporting;

/// <summary>
/// Collects the results of one part, and with <c>--record</c> keeps them. Each row is written at once: a part that is ended by its time
/// limit has lost nothing but its rest.
/// </summary>
internal sealed class Recorder
{
    private readonly bool _keeps;
    private Results _results;

    public Recorder(string name, string[] args)
    {
        _keeps = args.Contains("--record");
        _results = new Results(name, TimeProvider.System.GetUtcNow(), Machine.Current, args.Contains("--quick"));
        Keep(_results);
    }

    public IReadOnlyList<Row> Rows => _results.Rows;

    public void Add(Row row) => Keep(_results with { Rows = [.. _results.Rows, row] });

    public void Add((string Name, string Text)[] labels, (string Name, double? Value)[] values) => Add(new Row(labels, values));

    /// <summary>Notes what is not measured, and why.</summary>
    public void LeaveOut(string what)
    {
        Console.Error.WriteLine($"Left out: {what}");
        Keep(_results with { LeftOut = [.. _results.LeftOut, what] });
    }

    /// <summary>Notes that everything has been measured, and prints it.</summary>
    public void Complete()
    {
        Keep(_results with { IsComplete = true });
        if (Rows.Count > 0)
        {
            Console.WriteLine(Table.Of(Rows).ToText());
        }
    }

    private void Keep(Results results)
    {
        _results = results;
        if (_keeps)
        {
            results.Save();
        }
    }
}
