using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ResilientHosting.Aborts;

internal sealed class ResendMetrics
{
    private readonly Counter<long> _resends;

    public ResendMetrics(IMeterFactory meterFactory)
    {
        // The factory owns the meter and disposes of it with the host.
        var meter = meterFactory.Create(ClientAbortMetrics.MeterName);
        _resends = meter.CreateCounter<long>(
            "resilient_hosting.resends", unit: "{request}", description: "Requests that were sent again with a key that was known.");
    }

    public void Resent(string outcome, string? route)
    {
        var tags = new TagList { { "outcome", outcome } };
        if (route is not null)
        {
            tags.Add("http.route", route);
        }

        _resends.Add(1, tags);
    }
}
