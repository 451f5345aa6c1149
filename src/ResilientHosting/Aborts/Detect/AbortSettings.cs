namespace ResilientHosting.Aborts;

/// <summary>What every request's monitor shares.</summary>
internal sealed record AbortSettings(
    ClientAbortOptions Options,
    TimeProvider Clock,
    ILogger Logger,
    OrphanRegistry Orphans,
    UploadWatch Uploads,
    ClientAbortMetrics Metrics,
    CancellationToken HostStopping)
{
    /// <summary>Who a request is for. <see langword="null"/> if nobody can tell.</summary>
    public object? ClientOf(HttpContext context) =>
        Options.ClientKey is { } keyOf ? keyOf(context) : context.Connection.RemoteIpAddress;
}
