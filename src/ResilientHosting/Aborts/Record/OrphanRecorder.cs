namespace ResilientHosting.Aborts;

/// <summary>Writes down what becomes of abandoned work: a count of what runs, and a warning wherever an operator can do something.</summary>
internal sealed class OrphanRecorder(ILogger logger, ClientAbortMetrics metrics, TimeProvider clock, ClientAbortOptions options)
{
    // A route that goes wrong once goes wrong all the time; one line a minute says so.
    private readonly Throttle<(string Route, string Reason)> _warnings = new(clock, TimeSpan.FromMinutes(1));

    public void Added(Orphan orphan) => metrics.OrphanAdded(orphan);

    public void Removed(Orphan orphan) => metrics.OrphanRemoved(orphan);

    /// <summary>Work that a completing policy had promised to finish was cancelled all the same.</summary>
    public void Cut(string method, string route, TimeSpan age, AbortOutcome outcome)
    {
        var reason = outcome switch
        {
            AbortOutcome.Capped => $"it ran longer than {nameof(ClientAbortOptions.OrphanHardCap)} ({options.OrphanHardCap}) allows",
            AbortOutcome.Overflow =>
                $"{nameof(ClientAbortOptions.MaxOrphans)} ({options.MaxOrphans}) or "
                + $"{nameof(ClientAbortOptions.MaxOrphansPerClient)} ({options.MaxOrphansPerClient}) was reached",
            AbortOutcome.Shutdown => "the host had to stop; HostOptions.ShutdownTimeout is what it waits",
            _ => null,
        };

        // Each loss at shutdown is named: nobody can look later.
        if (reason is not null && (outcome == AbortOutcome.Shutdown || _warnings.MayPass((route, reason))))
        {
            ClientAbortLog.OrphanCut(logger, method, route, Seconds(age), reason);
        }
    }

    public void DoesNotStop(Orphan orphan)
    {
        if (_warnings.MayPass((orphan.Route, nameof(DoesNotStop))))
        {
            ClientAbortLog.OrphanDoesNotStop(logger, orphan.Method, orphan.Route, Seconds(AgeOf(orphan)));
        }
    }

    public void LeftBehind(Orphan orphan) =>
        ClientAbortLog.OrphanLeftBehind(logger, orphan.Method, orphan.Route, Seconds(AgeOf(orphan)));

    private TimeSpan AgeOf(Orphan orphan) => clock.GetUtcNow() - orphan.Since;

    private static double Seconds(TimeSpan age) => Math.Round(age.TotalSeconds, 1);
}
