namespace ResilientHosting.Reloading;

/// <summary>How a swap went.</summary>
/// <param name="Serving">The generation that serves now: the new one, the last good one started again, or null if neither started.</param>
/// <param name="Failure">Why the new generation did not start; null if it did.</param>
/// <param name="Stop">How long the old generation took to stop.</param>
/// <param name="Start">How long the new one took to start and take over.</param>
/// <param name="Recovery">How long it took from the failure until the last good version served again; zero without one.</param>
/// <param name="HeldRequests">How many requests waited meanwhile.</param>
/// <param name="CutRequests">The old generation's requests that did not end by themselves and were cut.</param>
internal sealed record SwapReport(
    Generation? Serving, Exception? Failure, TimeSpan Stop, TimeSpan Start, TimeSpan Recovery, int HeldRequests, IReadOnlyList<CutRequest> CutRequests);
