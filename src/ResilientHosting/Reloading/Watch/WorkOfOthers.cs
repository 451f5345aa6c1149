namespace ResilientHosting.Reloading;

/// <summary>Waits for git, or for a build that somebody else runs: their many writes are one change.</summary>
internal sealed class WorkOfOthers(TimeProvider clock, ReloadConsole console)
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan BetweenQuestions = TimeSpan.FromMilliseconds(100);

    /// <summary>Gets or sets whose work is waited for.</summary>
    public IReadOnlyList<IWorkInProgress> Others { get; set; } = [];

    /// <returns>Whether there was anything to wait for, and it is done.</returns>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        string? said = null;
        while (Others.Select(other => other.Find(clock.GetUtcNow())).FirstOrDefault(reason => reason is not null) is { } reason)
        {
            if (said is null)
            {
                said = reason;
                console.Say($"{reason}; waiting until it is done");
            }
            else if (clock.GetElapsedTime(began) >= Longest)
            {
                console.Say($"{reason}, after {Longest.TotalSeconds:0} s still; not waiting any longer");
                return false;
            }

            await Task.Delay(BetweenQuestions, clock, cancellationToken).ConfigureAwait(false);
        }

        return said is not null;
    }
}
