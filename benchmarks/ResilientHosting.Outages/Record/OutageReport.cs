using System.Globalization;
using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.Outages;

/// <summary>What one pool did in one fault.</summary>
internal sealed record OutageReport(string Fault, string Pool)
{
    public const string Legend = """
        failed: no reason   nothing in time, and the exception does not blame the backend
        failed: reason      nothing, and the exception says what the backend did
        failed in use       the connection broke while it was lent
        overrun ms          the longest wait beyond the deadline of 2 s
        dials/s             connects during the fault
        recovered ms        from the end of the fault to the first success
        errors after        failures of requests that began after the end of the fault
        leaked              slots the pool can no longer hand out afterwards

        """;

    public required int Succeeded { get; init; }

    public required int TimedOut { get; init; }

    public required int Explained { get; init; }

    public required int FailedInUse { get; init; }

    public required TimeSpan WorstOverrun { get; init; }

    public required double DialsPerSecond { get; init; }

    public required TimeSpan? FirstSuccess { get; init; }

    public required int ErrorsAfterwards { get; init; }

    public required int LeakedSlots { get; init; }

    public static Table ToTable(IEnumerable<OutageReport> reports) => new(
        ["fault", "pool", "ok", "failed: no reason", "failed: reason", "failed in use", "overrun ms", "dials/s", "recovered ms", "errors after", "leaked"],
        [.. reports.Select(report => report.ToRow())]);

    private string[] ToRow() =>
    [
        Fault,
        Pool,
        Number(Succeeded),
        Number(TimedOut),
        Number(Explained),
        Number(FailedInUse),
        Number(Math.Max(0, WorstOverrun.TotalMilliseconds)),
        Number(DialsPerSecond),
        FirstSuccess is { } time ? Number(time.TotalMilliseconds) : "never",
        Number(ErrorsAfterwards),
        Number(LeakedSlots),
    ];

    private static string Number(double value) => value.ToString("F0", CultureInfo.InvariantCulture);
}
