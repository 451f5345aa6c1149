using System.Globalization;
using System.Text;

namespace ScaleOut.Load;

/// <summary>What became of every request.</summary>
internal sealed class Record(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Kind> _kinds = [];
    private readonly SortedDictionary<string, int> _replicas = [];

    public int Requests => _kinds.Values.Sum(static kind => kind.Requests);

    public IReadOnlyList<string> Failures =>
    [
        .. from kind in _kinds
           from failure in kind.Value.Failures
           select $"{failure.Value} × {kind.Key}: {failure.Key}",
    ];

    /// <summary>A request has ended as it should: answered by a replica, or stopped by its customer, who had intended it.</summary>
    public void Answered(string kind, long due, string? replica)
    {
        lock (_lock)
        {
            KindOf(kind).Latencies.Add(clock.GetElapsedTime(due).TotalMilliseconds);
            if (replica is not null)
            {
                _replicas[replica] = _replicas.GetValueOrDefault(replica) + 1;
            }
        }
    }

    public void Failed(string kind, string how)
    {
        lock (_lock)
        {
            var failures = KindOf(kind).Failures;
            failures[how] = failures.GetValueOrDefault(how) + 1;
        }
    }

    /// <summary>The kinds and their sum as aligned text; times in milliseconds, since a request was due.</summary>
    public string ToTable()
    {
        var all = new Kind();
        var text = new StringBuilder().AppendLine(Row("kind", "requests", "failures", "p50 ms", "p99 ms", "max ms"));
        foreach (var (name, kind) in _kinds)
        {
            text.AppendLine(kind.ToRow(name));
            all.Add(kind);
        }

        var replicas = string.Join(", ", _replicas.Select(static replica => $"{replica.Key} {replica.Value}"));
        return text.AppendLine(all.ToRow("all")).AppendLine().AppendLine("answered by        " + replicas).ToString();
    }

    private static string Row(params object[] cells) =>
        string.Format(CultureInfo.InvariantCulture, "{0,-16} {1,9} {2,9} {3,8} {4,8} {5,8}", cells);

    private Kind KindOf(string name)
    {
        if (!_kinds.TryGetValue(name, out var kind))
        {
            _kinds.Add(name, kind = new Kind());
        }

        return kind;
    }

    private sealed class Kind
    {
        public List<double> Latencies { get; } = [];

        public SortedDictionary<string, int> Failures { get; } = [];

        public int Requests => Latencies.Count + Failures.Values.Sum();

        public void Add(Kind other)
        {
            Latencies.AddRange(other.Latencies);
            foreach (var (how, count) in other.Failures)
            {
                Failures[how] = Failures.GetValueOrDefault(how) + count;
            }
        }

        public string ToRow(string name)
        {
            Latencies.Sort();
            return Row(name, Requests, Failures.Values.Sum(), Percentile(0.50), Percentile(0.99), Percentile(1));
        }

        private string Percentile(double part) => Latencies.Count == 0 ? "-"
            : Latencies[Math.Max(0, (int)Math.Ceiling(part * Latencies.Count) - 1)].ToString("F0", CultureInfo.InvariantCulture);
    }
}
