namespace ResilientHosting.Reloading;

/// <summary>
/// Shows and steers the development reloader. Registered by <c>AddDevReloader</c>; where the reloader is off it answers with
/// generation 0, no history, and does nothing.
/// </summary>
public interface IDevReloader
{
    /// <summary>Gets the number of the generation that serves. The process's own start is generation 0.</summary>
    int Generation { get; }

    /// <summary>Gets the latest reloads, the newest last.</summary>
    IReadOnlyList<ReloadRecord> History { get; }

    /// <summary>Starts the application again, whether or not a file has changed.</summary>
    /// <param name="reason">Why; shown on the console and in the history.</param>
    void RequestReload(string reason);

    /// <summary>Holds reloads back until <see cref="Resume"/>. What changes meanwhile is one reload then.</summary>
    void Pause();

    /// <summary>Ends a <see cref="Pause"/>.</summary>
#pragma warning disable CA1716 // "Resume" is a keyword of Visual Basic, and the only natural opposite of "Pause".
    void Resume();
#pragma warning restore CA1716
}

/// <summary>One attempt to put an edit into service.</summary>
/// <param name="Generation">The generation that served afterwards.</param>
/// <param name="Reason">What changed, or why the reload was asked for.</param>
/// <param name="Succeeded">Whether the edit is being served. Otherwise the last good version is.</param>
/// <param name="Build">The time taken to compile.</param>
/// <param name="Stop">The time taken to stop the old generation.</param>
/// <param name="Start">The time taken to start the new one.</param>
/// <param name="Total">The time from noticing the change to serving it.</param>
/// <param name="HeldRequests">How many requests waited for the new generation.</param>
/// <param name="CutRequests">The requests of the old generation that did not end by themselves and were cut, such as "GET /feed (event stream)".</param>
/// <param name="Errors">What went wrong, as the compiler prints it; empty on success.</param>
public sealed record ReloadRecord(
    int Generation,
    string Reason,
    bool Succeeded,
    TimeSpan Build,
    TimeSpan Stop,
    TimeSpan Start,
    TimeSpan Total,
    int HeldRequests,
    IReadOnlyList<string> CutRequests,
    IReadOnlyList<string> Errors)
{
    /// <summary>Gets when it was over: served, or given up.</summary>
    public DateTimeOffset Time { get; init; }
}
