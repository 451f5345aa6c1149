namespace ResilientHosting.Reloading;

/// <summary>
/// What becomes of the process when a generation ends of its own accord. One that succeeded ends the process, as its application asked;
/// one that failed is answered for until an edit takes its place.
/// </summary>
#pragma warning disable CA1001 // It lives as long as the process does.
internal sealed class GenerationEnds(SwapSeams seams, ReloadConsole console, ProcessEnd processEnd, FailureReader failures)
#pragma warning restore CA1001
{
    private const int CodeOfAnException = 1;

    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>While a swap is under way, no generation is judged: the one that is being replaced ends because it was told to.</summary>
    public async Task<Turn> BeginSwapAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        return new Turn(_turn);
    }

    /// <summary>From now on this generation serves, and its end matters.</summary>
    public void Watch(Generation generation) => _ = JudgeAsync(generation);

    private async Task JudgeAsync(Generation generation)
    {
        Exception? crash = null;
        int exitCode;
        try
        {
            exitCode = await generation.Finished.ConfigureAwait(false);
        }
#pragma warning disable CA1031 // This is where an application's crash ends up.
        catch (Exception e)
#pragma warning restore CA1031
        {
            crash = e;
            exitCode = CodeOfAnException;
        }

        using var turn = await BeginSwapAsync().ConfigureAwait(false);
        if (generation.StopRequested)
        {
            return;
        }

        if (crash is not null)
        {
            console.Show(crash);
        }

        if (exitCode == 0 || processEnd.Asked.IsCancellationRequested)
        {
            try
            {
                await seams.CloseAsync().ConfigureAwait(false);
            }
            finally
            {
                processEnd.Exit(exitCode);
            }

            return;
        }

        var what = crash is null ? $"generation {generation.Number} ended with exit code {exitCode}" : $"generation {generation.Number} crashed";
        var reason = crash ?? new InvalidOperationException($"{what}.");
        const string Title = "The application has crashed.";
        var failure = failures.Read(Title, reason);
        seams.Status.Change(now => now with { Failure = failure });
        seams.Requests.Fail(Title);
        processEnd.WaitForFix(exitCode);
        if (generation.Application is not null)
        {
            // A process would be gone by now, with everything in it. Without the seams its server is all there is to answer.
            generation.RequestStop();
        }

        console.Say($"{what}; waiting for the next edit");
    }

    internal readonly struct Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
