using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ResilientHosting.Aborts;

internal sealed class ClientAbortMetrics
{
    public const string MeterName = "ResilientHosting";

    // From a confirmation that is already there to the longest wait for one.
    private static readonly InstrumentAdvice<double> DelayBuckets =
        new() { HistogramBucketBoundaries = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 1, 5] };

    // From work that stops at once to work that runs into the hard cap, and beyond.
    private static readonly InstrumentAdvice<double> DurationBuckets =
        new() { HistogramBucketBoundaries = [0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300] };

    private readonly Counter<long> _aborts;
    private readonly UpDownCounter<long> _orphans;
    private readonly Histogram<double> _orphanDuration;
    private readonly Histogram<double> _detectionDelay;

    public ClientAbortMetrics(IMeterFactory meterFactory)
    {
        // The factory owns the meter and disposes of it with the host.
        var meter = meterFactory.Create(MeterName);
        _aborts = meter.CreateCounter<long>(
            "resilient_hosting.client_aborts", unit: "{request}", description: "Requests that were aborted before they had ended.");
        _orphans = meter.CreateUpDownCounter<long>(
            "resilient_hosting.orphans", unit: "{request}", description: "Requests that run although their client has left.");
        _orphanDuration = meter.CreateHistogram(
            "resilient_hosting.orphan.duration",
            unit: "s",
            description: "How long requests ran on after their client had left.",
            advice: DurationBuckets);
        _detectionDelay = meter.CreateHistogram(
            "resilient_hosting.client_abort.detection_delay",
            unit: "s",
            description: "From a failed read of a request body to the server's confirmation that the client has left.",
            advice: DelayBuckets);
    }

    public void Aborted(AbortReport report, TimeSpan elapsed, string? route, string protocol)
    {
        if (_aborts.Enabled)
        {
            var tags = new TagList
            {
                { "cause", SnakeCase(report.Abort.Cause) },
                { "phase", SnakeCase(report.Abort.Phase) },
                { "policy", SnakeCase(report.Policy.Behavior) },
                { "outcome", SnakeCase(report.Outcome) },
                { "network.protocol.version", VersionOf(protocol) },
            };
            AddRoute(ref tags, route);
            _aborts.Add(1, tags);
        }

        if (report.WasOrphan && _orphanDuration.Enabled)
        {
            var tags = new TagList { { "policy", SnakeCase(report.Policy.Behavior) }, { "outcome", SnakeCase(report.Outcome) } };
            AddRoute(ref tags, route);
            _orphanDuration.Record(elapsed.TotalSeconds, tags);
        }
    }

    public void Confirmed(TimeSpan delay, string protocol)
    {
        if (_detectionDelay.Enabled)
        {
            _detectionDelay.Record(delay.TotalSeconds, new KeyValuePair<string, object?>("network.protocol.version", VersionOf(protocol)));
        }
    }

    public void OrphanAdded(Orphan orphan)
    {
        if (_orphans.Enabled)
        {
            orphan.IsCounted = true;
            Change(orphan, 1);
        }
    }

    public void OrphanRemoved(Orphan orphan)
    {
        if (orphan.IsCounted)
        {
            Change(orphan, -1);
        }
    }

    public static string SnakeCase<T>(T value)
        where T : struct, Enum => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    private void Change(Orphan orphan, int change) =>
        _orphans.Add(change, new("http.route", orphan.Route), new("policy", SnakeCase(orphan.Policy)));

    private static void AddRoute(ref TagList tags, string? route)
    {
        if (route is not null)
        {
            tags.Add("http.route", route);
        }
    }

    // As ASP.NET Core names it on its own instruments: "1.1", but "2".
    private static string VersionOf(string protocol) => protocol switch
    {
        _ when HttpProtocol.IsHttp11(protocol) => "1.1",
        _ when HttpProtocol.IsHttp2(protocol) => "2",
        _ when HttpProtocol.IsHttp3(protocol) => "3",
        _ when HttpProtocol.IsHttp10(protocol) => "1.0",
        _ => "other",
    };
}
