namespace ResilientHosting.Reloading;

/// <summary>How the process is doing at one moment, besides reloads. Holds nothing of a generation.</summary>
/// <param name="Application">Its name.</param>
/// <param name="Serves">Whether a generation answers requests.</param>
/// <param name="ProcessStarted">When the process began.</param>
/// <param name="Watched">How the sources are watched.</param>
/// <param name="Retired">What became of the generations that no longer serve.</param>
/// <param name="Pools">The application's pools.</param>
/// <param name="Aborts">The aborts so far.</param>
internal sealed record LiveData(
    string Application,
    bool Serves,
    DateTimeOffset ProcessStarted,
    IReadOnlyList<WatchedRoot> Watched,
    IReadOnlyList<RetiredGeneration> Retired,
    IReadOnlyList<PoolUse> Pools,
    AbortCounts Aborts);
