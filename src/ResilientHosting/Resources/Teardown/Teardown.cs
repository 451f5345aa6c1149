using System.Globalization;

namespace ResilientHosting.Resources;

/// <summary>Gives one object back within its time. Never throws: a failure is returned, for the others must still run.</summary>
internal static class Teardown
{
    /// <summary>How long a teardown may take to notice that its deadline was cancelled.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>The teardown of a resource registered without one.</summary>
    public static ValueTask DisposeAsync(object resource)
    {
        switch (resource)
        {
            case IAsyncDisposable asyncDisposable:
                return asyncDisposable.DisposeAsync();
            case IDisposable disposable:
                disposable.Dispose();
                return ValueTask.CompletedTask;
            default:
                return ValueTask.CompletedTask;
        }
    }

    public static ValueTask<Exception?> RunAsync(OwnedObject owned, ScopeOutcome outcome, ResourceStack stack) =>
        RunAsync(owned, outcome, stack, TimeSpan.MaxValue);

    /// <param name="owned">The object to give back.</param>
    /// <param name="outcome">What the teardown is told.</param>
    /// <param name="stack">The scope.</param>
    /// <param name="budget">What is left of the scope's time.</param>
    public static async ValueTask<Exception?> RunAsync(OwnedObject owned, ScopeOutcome outcome, ResourceStack stack, TimeSpan budget)
    {
        var environment = stack.Environment;
        var limit = environment.Options.TeardownTimeout;
        limit = budget < limit ? budget : limit;
        var start = environment.Time.GetTimestamp();

        // Not disposed of: a teardown that is given up still holds its token, and without a timer there is nothing to free.
        var deadline = new CancellationTokenSource();
        if (limit <= TimeSpan.Zero)
        {
            limit = TimeSpan.Zero;
            await deadline.CancelAsync().ConfigureAwait(false);
        }

        var running = ReturnAsync(owned, new TeardownContext(outcome, stack.Services, deadline.Token));
        var failure = running.IsCompleted
            ? running.Result
            : await WaitAsync(running.AsTask(), deadline, limit, environment.Time).ConfigureAwait(false);

        owned.OnReturned(outcome.Kind, environment.Time.GetElapsedTime(start), failure);
        return failure;
    }

    private static async ValueTask<Exception?> ReturnAsync(OwnedObject owned, TeardownContext context)
    {
        try
        {
            await owned.ReturnAsync(context).ConfigureAwait(false);
            return null;
        }
#pragma warning disable CA1031 // The failure is the result: the caller logs it or throws it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return exception;
        }
    }

    private static async ValueTask<Exception?> WaitAsync(
        Task<Exception?> running, CancellationTokenSource deadline, TimeSpan limit, TimeProvider time)
    {
        // CancelAsync, because a callback that throws on a timer's thread would end the process.
        var timer = time.CreateTimer(
            static state => _ = ((CancellationTokenSource)state!).CancelAsync(), deadline, limit, Timeout.InfiniteTimeSpan);
        await using (timer.ConfigureAwait(false))
        {
            try
            {
                return await running.WaitAsync(limit > TimeSpan.Zero ? limit + Grace : TimeSpan.Zero, time).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                return new TimeoutException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"The teardown did not finish within {limit:c} and was given up. It should pass TeardownContext.Deadline on to what it awaits."));
            }
        }
    }
}
