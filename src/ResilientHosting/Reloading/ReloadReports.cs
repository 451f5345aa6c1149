namespace ResilientHosting.Reloading;

/// <summary>Tells how each reload went: on the console at once, and in the history.</summary>
internal sealed class ReloadReports(ReloadConsole console)
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

    /// <summary>The edit could not be built.</summary>
    public void Rejected(BuildResult build, Generation serving, string reason, TimeSpan buildTime, TimeSpan total)
    {
        var errors = build.Errors.ToArray();
        foreach (var error in errors)
        {
            console.Show(error);
        }

        var serves = serving.StopRequested ? "waiting for the next edit" : $"generation {serving.Number} keeps serving";
        console.Say($"{reason}: {errors.Length} {(errors.Length == 1 ? "error" : "errors")}, {serves}");
        Record(new ReloadRecord(
            serving.Number, reason, false, buildTime, TimeSpan.Zero, TimeSpan.Zero, total, 0, [], [.. errors.Select(error => error.ToString())]));
    }

    /// <summary>The edit was built, and a generation was started from it.</summary>
    public void Swapped(SwapReport swap, Generation serving, string reason, TimeSpan build, TimeSpan total)
    {
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

        Record(new ReloadRecord(
            serving.Number, reason, swap.Failure is null, build, swap.Stop, swap.Start, total, swap.HeldRequests,
            [.. swap.CutRequests.Select(request => request.ToString())],
            swap.Failure is null ? [] : [swap.Failure.ToString()]));
    }

    private void Record(ReloadRecord record)
    {
        lock (_history)
        {
            _history.Enqueue(record);
            if (_history.Count > HistoryLength)
            {
                _history.Dequeue();
            }
        }
    }
}
