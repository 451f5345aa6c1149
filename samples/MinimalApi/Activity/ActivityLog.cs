namespace MinimalApi.Activity;

/// <summary>One thing the server noticed: what it is about, how it ended, and a few words.</summary>
internal sealed record ActivityEntry(long Number, DateTimeOffset At, string Subject, string Outcome, string Detail);

/// <summary>The last things that happened, kept in memory for the front page.</summary>
internal sealed class ActivityLog(TimeProvider clock)
{
    private const int Capacity = 200;

    private readonly Lock _lock = new();
    private readonly Queue<ActivityEntry> _entries = new(Capacity);
    private TaskCompletionSource _added = NewSignal();

    // Starts at the time, so that numbers go on growing when the host is restarted, and nobody who asks for newer entries misses one.
    private long _lastNumber = clock.GetUtcNow().ToUnixTimeMilliseconds();

    public void Add(string subject, string outcome, string detail)
    {
        lock (_lock)
        {
            if (_entries.Count == Capacity)
            {
                _entries.Dequeue();
            }

            _entries.Enqueue(new ActivityEntry(++_lastNumber, clock.GetUtcNow(), subject, outcome, detail));
            _added.SetResult();
            _added = NewSignal();
        }
    }

    /// <summary>The entries with a greater number than the given one, oldest first.</summary>
    public IReadOnlyList<ActivityEntry> After(long number) => Read(number).Entries;

    /// <summary>The same, waiting for the first such entry until <paramref name="giveUp"/> is cancelled.</summary>
    public async Task<IReadOnlyList<ActivityEntry>> WaitAfterAsync(long number, CancellationToken giveUp)
    {
        var (entries, added) = Read(number);
        if (entries.Count > 0)
        {
            return entries;
        }

        await added.WaitAsync(giveUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return After(number);
    }

    private (IReadOnlyList<ActivityEntry> Entries, Task Added) Read(long number)
    {
        lock (_lock)
        {
            return ([.. _entries.Where(entry => entry.Number > number)], _added.Task);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
