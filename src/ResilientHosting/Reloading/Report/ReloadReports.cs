namespace ResilientHosting.Reloading;

/// <summary>Tells how each reload went: on the console at once, and in the history.</summary>
internal sealed class ReloadReports(ReloadConsole console, ReloadStatus status, FailureReader failures, EventFile? events, TimeProvider clock)
{
    private const int HistoryLength = 100;

    private readonly Queue<ReloadRecord> _history = new();

    public IReadOnlyList<ReloadRecord> History
    {
        get
        {
            lock (_history)
            {
                return [.. _history];
            }
        }
    }

    /// <summary>The edit makes no difference to what serves.</summary>
    public void Unchanged() => status.Change(static now => now with { Phase = ReloadPhase.Watching, Attempt = now.Attempt + 1, Failure = null });

    /// <summary>The edit could not be built.</summary>
    public void Rejected(BuildResult build, Generation serving, string reason, TimeSpan buildTime, TimeSpan total)
    {
        var errors = build.Errors.ToArray();
        foreach (var error in errors)
        {
            console.Show(error);
        }

        // Whoever waits for the status finds the reload in the history.
        Record(new ReloadRecord(
            serving.Number, reason, false, buildTime, TimeSpan.Zero, TimeSpan.Zero, total, 0, [], [.. errors.Select(error => error.ToString())]));
        var title = errors.Length == 1 ? "1 error" : $"{errors.Length} errors";
        var nothingServes = serving.StopRequested || serving.Finished.IsCompleted;
        var failure = failures.Read($"The latest edit has {title}.", errors, nothingServes ? status.Now.Failure?.Exception : null);
        status.Change(now => now with
        {
            Phase = ReloadPhase.Watching,
            Attempt = now.Attempt + 1,
            Failure = failure,
        });
        var serves = nothingServes ? "waiting for the next edit" : $"generation {serving.Number} keeps serving";
        console.Say($"{reason}: {title}, {serves}");
    }

    /// <summary>The edit was built, and a generation was started from it.</summary>
    public void Swapped(SwapReport swap, Generation serving, string reason, TimeSpan build, TimeSpan total)
    {
        Record(new ReloadRecord(
            serving.Number, reason, swap.Failure is null, build, swap.Stop, swap.Start, total, swap.HeldRequests,
            [.. swap.CutRequests.Select(request => request.ToString())],
            swap.Failure is null ? [] : [ThrownException.TextOf(swap.Failure)]));
        var failure = swap.Failure is null ? null
            : swap.Serving is null ? status.Now.Failure
            : failures.Read("The latest edit does not start.", swap.Failure);
        status.Change(now => now with
        {
            Phase = ReloadPhase.Watching,
            Generation = serving.Number,
            Attempt = now.Attempt + 1,
            Failure = failure,
        });
        if (swap.Failure is not null)
        {
            console.Show(swap.Failure);
            console.Say(swap.Serving is null
                ? $"{reason}: neither this version nor the last good one starts; waiting for the next edit"
                : $"{reason}: does not start; the last good version serves again as generation {swap.Serving.Number}, after {swap.Recovery.TotalMilliseconds:0} ms");
        }
        else
        {
            var cut = swap.CutRequests.Count == 0 ? "" : $", {swap.CutRequests.Count} cut";
            console.Say(
                $"{reason} -> generation {serving.Number} in {total.TotalMilliseconds:0} ms "
                + $"(build {build.TotalMilliseconds:0}, stop {swap.Stop.TotalMilliseconds:0}, start {swap.Start.TotalMilliseconds:0}), "
                + $"{swap.HeldRequests} requests held{cut}");
        }

        if (swap.CutRequests.Count > 0)
        {
            console.Say($"cut {CutRequest.Describe(swap.CutRequests)}");
        }
    }

    private void Record(ReloadRecord reload)
    {
        var record = reload with { Time = clock.GetUtcNow() };
        lock (_history)
        {
            _history.Enqueue(record);
            if (_history.Count > HistoryLength)
            {
                _history.Dequeue();
            }
        }

        events?.Append(record);
    }
}
