using System.Diagnostics.Metrics;

namespace ResilientHosting.Aborts;

internal sealed class ClientAbortMetrics
{
    public const string MeterName = "ResilientHosting";

    private readonly Counter<long> _aborts;
    private readonly UpDownCounter<long> _orphans;

    public ClientAbortMetrics(IMeterFactory meterFactory)
    {
        // The factory owns the meter and disposes of it with the host.
        var meter = meterFactory.Create(MeterName);
        _aborts = meter.CreateCounter<long>(
            "resilient_hosting.client_aborts", unit: "{request}", description: "Requests that were aborted before they had ended.");
        _orphans = meter.CreateUpDownCounter<long>(
            "resilient_hosting.orphans", unit: "{request}", description: "Requests that run although their client has left.");
    }

    public void Aborted(ClientAbort abort, ClientAbortPolicy policy, AbortOutcome outcome, string? route)
    {
        if (!_aborts.Enabled)
        {
            return;
        }

        var tags = new System.Diagnostics.TagList
        {
            { "cause", SnakeCase(abort.Cause) },
            { "phase", SnakeCase(abort.Phase) },
            { "policy", SnakeCase(policy.Behavior) },
            { "outcome", SnakeCase(outcome) },
        };
        if (route is not null)
        {
            tags.Add("http.route", route);
        }

        _aborts.Add(1, tags);
    }

    public void OrphansChanged(Orphan orphan, int change) =>
        _orphans.Add(change, new("http.route", orphan.Route), new("policy", SnakeCase(orphan.Policy)));

    private static string SnakeCase<T>(T value)
        where T : struct, Enum => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
