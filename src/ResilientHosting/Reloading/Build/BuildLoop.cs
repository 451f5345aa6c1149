namespace ResilientHosting.Reloading;

/// <summary>
/// Builds while the quiet period runs, and again if something newer was saved meanwhile: the latest save wins. There is never more than
/// one build, and what waits behind it is one look, not a queue.
/// </summary>
internal sealed class BuildLoop<TResult>(SourceWatcher watcher, TimeProvider clock, Func<SourceLook, CancellationToken, Task<TResult>> build)
    where TResult : class
{
    // Somebody who never stops typing must still get to see something.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    /// <summary>Builds until the sources stand still.</summary>
    /// <returns>What was built last; null if what had changed was changed back.</returns>
    public async Task<FinishedBuild<TResult>?> RunAsync(SourceLook look, CancellationToken cancellationToken)
    {
        var noticed = watcher.LastEvent;
        if (clock.GetElapsedTime(noticed) > TimeSpan.FromSeconds(1))
        {
            noticed = clock.GetTimestamp();
        }

        while (true)
        {
            var began = clock.GetTimestamp();
            var result = await BuildAsync(look, clock.GetElapsedTime(noticed) < LongestWait, cancellationToken).ConfigureAwait(false);
            var took = clock.GetElapsedTime(began);

            var settled = await watcher.SettleAsync(cancellationToken).ConfigureAwait(false);
            if (settled.Changes.IsEmpty)
            {
                watcher.Accept(settled);
                return null;
            }

            if (result is not null
                && (settled.Files.ChangesSince(look.Files).Count == 0 || clock.GetElapsedTime(noticed) > LongestWait))
            {
                // Whatever came after this look is the next reload.
                watcher.Accept(look);
                return new FinishedBuild<TResult>(look.Changes, result, took, noticed);
            }

            look = settled;
        }
    }

    /// <summary>Builds one look.</summary>
    /// <returns>Null if a newer save has made the build pointless.</returns>
    private async Task<TResult?> BuildAsync(SourceLook look, bool mayBeGivenUp, CancellationToken cancellationToken)
    {
        using var outdated = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var finished = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var building = Task.Run(() => build(look, outdated.Token), CancellationToken.None);
        if (mayBeGivenUp)
        {
            var newer = watcher.WaitForNextEditAsync(look.Files, finished.Token).AsTask();
            await Task.WhenAny(building, newer).ConfigureAwait(false);
            if (newer.IsCompletedSuccessfully)
            {
                await outdated.CancelAsync().ConfigureAwait(false);
            }

            // Only one may look at the sources at a time.
            await finished.CancelAsync().ConfigureAwait(false);
            await newer.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        try
        {
            return await building.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (outdated.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}

/// <summary>A build whose sources stood still afterwards.</summary>
/// <param name="Changes">What it was made for.</param>
/// <param name="Result">The result.</param>
/// <param name="Took">The time taken by the last build.</param>
/// <param name="Noticed">When the first of the changes was noticed, as a time stamp of the clock.</param>
internal sealed record FinishedBuild<TResult>(ChangeSet Changes, TResult Result, TimeSpan Took, long Noticed);
