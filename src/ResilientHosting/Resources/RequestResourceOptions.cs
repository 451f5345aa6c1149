namespace ResilientHosting.Resources;

/// <summary>Time limits for the creation, use and teardown of all request-scoped resources.</summary>
public sealed class RequestResourceOptions
{
    /// <summary>
    /// How long a factory may take. Its callers then get a <see cref="TimeoutException"/>; an object that arrives later is torn down.
    /// </summary>
    /// <value>Default 15 s. More than zero, at most one day.</value>
    public TimeSpan CreateTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the teardown of one resource may take before <see cref="TeardownContext.Deadline"/> is cancelled.</summary>
    /// <value>Default 5 s. More than zero, at most <see cref="ScopeTeardownBudget"/>.</value>
    public TimeSpan TeardownTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long all teardowns of one scope may take together, including the wait for creations still running and for scopes opened with
    /// its services and still open when it ends. When it
    /// is used up the remaining teardowns still start, with a deadline already cancelled, and are not waited for.
    /// </summary>
    /// <value>Default 30 s. At least <see cref="TeardownTimeout"/>, at most one day.</value>
    public TimeSpan ScopeTeardownBudget { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// In how many requests at a time teardowns may go on after the request, where <see cref="IRequestResourceBuilder{T}.DetachTeardown"/>
    /// asks for that. In one more the request waits for them.
    /// </summary>
    /// <value>Default 64. At least 1.</value>
    public int MaxDetachedTeardowns { get; set; } = 64;

    /// <summary>
    /// How long a host that has stopped waits for scopes still open: work that ignores its cancellation. After it their resources are torn
    /// down as <see cref="ScopeOutcomeKind.HostStopping"/> while they are in use; pools and shared objects are closed behind them.
    /// </summary>
    /// <value>Default 5 s. Zero or more, at most one day.</value>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// After what time a scope that still holds a resource is named in a warning, once for each object: it keeps from others what it may
    /// not be using. Open scopes are looked at every 15 seconds, or four times within a short threshold, so a warning comes up to two looks
    /// later. Objects shared by the host are not meant.
    /// </summary>
    /// <value>Default 1 min. More than zero, at most one day; <see cref="Timeout.InfiniteTimeSpan"/> for no warning.</value>
    public TimeSpan HeldWarningThreshold { get; set; } = TimeSpan.FromMinutes(1);
}
