namespace ResilientHosting.Aborts;

/// <summary>
/// Tells other machines what runs here, and finds what runs there, through the entries of a distributed cache. An entry of running
/// work is a lease: the cache itself lets it expire, so that no two clocks are ever compared. A cache tells nobody of a change, so
/// whoever waits has to ask again and again; and it cannot compare and set, so two machines that find no entry at the same instant
/// both run the work.
/// </summary>
internal sealed class SharedWork(SharedStore store, AdoptionOptions options, TimeProvider clock, ILogger logger)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    /// <summary>Waits while another process runs the work, and tells what is to be done then.</summary>
    public async Task<Turn> FindAsync(string key, string fingerprint, CancellationToken leaving)
    {
        if (store.IsSuspended)
        {
            return new Turn(TurnKind.Lead);
        }

        var me = Guid.NewGuid();
        var waits = false;
        var pause = ShortestPause;
        var heardAt = clock.GetUtcNow();
        while (true)
        {
            var (answered, record) = await store.GetAsync(EntryOf(key)).ConfigureAwait(false);
            if (answered)
            {
                heardAt = clock.GetUtcNow();
                var turn = TurnFor(record, fingerprint, waits);
                if (turn is null && !await IsLatestAsync(key, fingerprint, me, isNew: !waits).ConfigureAwait(false))
                {
                    turn = new Turn(TurnKind.Superseded);
                }

                if (turn is { } found)
                {
                    return found;
                }

                if (!waits)
                {
                    ResendLog.WaitsForOtherProcess(logger, record!.Owner);
                    waits = true;
                }
            }
            else if (!waits || clock.GetUtcNow() - heardAt >= options.LeaseDuration)
            {
                // Without news for as long as a lease lasts, the other process counts as gone.
                return new Turn(waits ? TurnKind.TakeOver : TurnKind.Lead);
            }

            await Task.Delay(pause, clock, leaving).ConfigureAwait(false);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>Announces that the work runs here, until the announcement is disposed of.</summary>
    /// <returns>The announcement; <see langword="null"/> if the cache fails.</returns>
    public async Task<SharedLease?> AnnounceAsync(string key, string fingerprint)
    {
        var record = new SharedRecord(SharedState.Running, Guid.NewGuid(), fingerprint);
        return !store.IsSuspended && await store.SetAsync(EntryOf(key), record, options.LeaseDuration).ConfigureAwait(false)
            ? new SharedLease(EntryOf(key), WaitingOf(key), record, store, options, clock)
            : null;
    }

    /// <summary>A client has received the result: it is not kept any longer, and whoever still waits for it is told.</summary>
    public Task ReceivedAsync(string key, string fingerprint) => store.IsSuspended ? Task.CompletedTask
        : store.SetAsync(EntryOf(key), new SharedRecord(SharedState.Received, Guid.Empty, fingerprint), options.LeaseDuration);

    private static Turn? TurnFor(SharedRecord? record, string fingerprint, bool waits) => record switch
    {
        null => new Turn(waits ? TurnKind.TakeOver : TurnKind.Lead),
        { State: SharedState.Received } => new Turn(waits ? TurnKind.Superseded : TurnKind.Lead),
        _ when record.Fingerprint != fingerprint => new Turn(TurnKind.Mismatched),
        { Answer: { } answer } => new Turn(waits ? TurnKind.Adopt : TurnKind.Replay, answer),
        _ => null,
    };

    // The entry says two things: to the owner of the work that somebody waits, and to those who wait who was the last to come.
    private async Task<bool> IsLatestAsync(string key, string fingerprint, Guid me, bool isNew)
    {
        var latest = isNew ? null : (await store.GetAsync(WaitingOf(key)).ConfigureAwait(false)).Record;
        if (latest is null)
        {
            var waiting = new SharedRecord(SharedState.Waiting, me, fingerprint);
            await store.SetWhileReadAsync(WaitingOf(key), waiting, options.LeaseDuration).ConfigureAwait(false);
        }

        return latest is null || latest.Owner == me;
    }

    private static string EntryOf(string key) => "ResilientHosting:resend:" + key;

    private static string WaitingOf(string key) => EntryOf(key) + ":waiting";
}
