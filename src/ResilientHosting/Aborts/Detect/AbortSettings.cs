namespace ResilientHosting.Aborts;

/// <summary>What every request's monitor shares.</summary>
internal sealed record AbortSettings(
    ClientAbortOptions Options,
    TimeProvider Clock,
    ILogger Logger,
    TimeSpan ShutdownTimeout,
    UploadWatch Uploads,
    CancellationToken HostStopping);
