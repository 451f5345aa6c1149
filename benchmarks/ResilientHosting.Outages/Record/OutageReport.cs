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

    public Row ToRow() => new(
        [("fault", Fault), ("pool", Pool)],
        [
            ("ok", Succeeded),
            ("failed: no reason", TimedOut),
            ("failed: reason", Explained),
            ("failed in use", FailedInUse),
            ("overrun ms", Math.Max(0, WorstOverrun.TotalMilliseconds)),
            ("dials/s", DialsPerSecond),
            ("recovered ms", FirstSuccess?.TotalMilliseconds),
            ("errors after", ErrorsAfterwards),
            ("leaked", LeakedSlots),
        ]);
}
