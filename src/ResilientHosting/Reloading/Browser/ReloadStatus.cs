namespace ResilientHosting.Reloading;

/// <summary>What the reloader is doing, for whoever looks at it or waits for it. It outlives all generations.</summary>
internal sealed class ReloadStatus(TimeProvider clock)
{
    // A page that was out of sight for longer learns of the latest alone.
    private const int MostFiles = 100;

    private readonly Lock _lock = new();
    private volatile ReloadMoment _now = new(0, 0, 0, ReloadPhase.Starting, false, null, clock.GetUtcNow())
    {
        ServingSince = clock.GetUtcNow(),
    };

    private TaskCompletionSource _changed = NewSignal();

    public ReloadMoment Now => _now;

    /// <summary>Gets the pages that are told.</summary>
    public OpenPages Pages { get; } = new();

    public void Change(Func<ReloadMoment, ReloadMoment> change) => Publish(now =>
    {
        var next = change(now);
        var time = clock.GetUtcNow();
        return next == now ? now : next with { Since = time, ServingSince = next.Generation == now.Generation ? now.ServingSince : time };
    });

    /// <summary>Says which static files have changed, by their paths below the folder that they are in.</summary>
    public void ReportFiles(IReadOnlyCollection<string> paths) => Publish(now => now with
    {
        Files = [.. now.Files.TakeLast(MostFiles), .. paths.TakeLast(MostFiles).Select((path, i) => new StaticFileChange(now.LatestFile + i + 1, path))],
    });

    /// <summary>Waits for a moment that is as wanted; the present one counts.</summary>
    public async Task<ReloadMoment> WaitForAsync(Func<ReloadMoment, bool> isWanted, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReloadMoment now;
            Task changed;
            lock (_lock)
            {
                (now, changed) = (_now, _changed.Task);
            }

            if (isWanted(now))
            {
                return now;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Publish(Func<ReloadMoment, ReloadMoment> follow)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            var next = follow(_now);
            if (next == _now)
            {
                return;
            }

            _now = next with { Revision = _now.Revision + 1 };
            (changed, _changed) = (_changed, NewSignal());
        }

        changed.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>How things stand at one moment.</summary>
/// <param name="Revision">Counts the moments.</param>
/// <param name="Generation">The generation that serves, or served last.</param>
/// <param name="Attempt">How many edits were dealt with: put into service, found to make no difference, or rejected.</param>
/// <param name="Phase">What is being done.</param>
/// <param name="IsPaused">Whether edits are held back.</param>
/// <param name="Failure">What is wrong with the latest edit, or with the generation that came of it; null if nothing is.</param>
/// <param name="Since">When it began.</param>
internal sealed record ReloadMoment(
    long Revision, int Generation, int Attempt, ReloadPhase Phase, bool IsPaused, ReloadFailure? Failure, DateTimeOffset Since)
{
    /// <summary>Gets when the generation began to serve.</summary>
    public DateTimeOffset ServingSince { get; init; }

    /// <summary>Gets the latest changes to static files, the newest last.</summary>
    public IReadOnlyList<StaticFileChange> Files { get; init; } = [];

    /// <summary>Gets the number of the latest of them.</summary>
    public int LatestFile => Files is [.., var latest] ? latest.Number : 0;
}

/// <summary>A file that browsers are sent as it is has changed.</summary>
/// <param name="Number">Counts these changes.</param>
/// <param name="Path">Its path below the folder of static files, with slashes.</param>
internal sealed record StaticFileChange(int Number, string Path);

internal enum ReloadPhase
{
    /// <summary>The compiler is being opened; edits are seen, and dealt with afterwards.</summary>
    Starting,

    Watching,

    Building,

    /// <summary>The old generation stops and the new one starts; requests wait.</summary>
    Swapping,
}
