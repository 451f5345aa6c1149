namespace ResilientHosting.Resources;

/// <summary>
/// Gives objects back one after another, each within its time and all within the scope's budget. A failure stops nothing; all failures
/// end up in one record.
/// </summary>
internal sealed class Teardown(ResourceStack stack, ScopeOutcome outcome)
{
    /// <summary>How long a teardown may take to notice that its deadline was cancelled.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private IServiceProvider _services = stack.Services;
    private long _start = stack.Environment.Clock.Now;
    private List<(string Resource, Exception Exception)>? _failures;
    private int _total;

    /// <summary>What is left of the time for all.</summary>
    public TimeSpan Budget =>
        stack.Environment.Options.ScopeTeardownBudget - TimeSpan.FromMilliseconds(stack.Environment.Clock.Now - _start);

    /// <summary>Goes on with other services, after the scope's own have gone, and with all of the budget.</summary>
    public void Continue(IServiceProvider services)
    {
        _services = services;
        _start = stack.Environment.Clock.Now;
    }

    /// <summary>The teardown of a resource registered without one.</summary>
    public static ValueTask DisposeAsync(object resource, TeardownContext context)
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

    /// <summary>Gives one object back. Never throws: the failure is returned, and noted for <see cref="Report"/>.</summary>
    public async ValueTask<Exception?> RunAsync(OwnedObject owned)
    {
        var time = stack.Environment.Time;
        var start = stack.Environment.Metrics.MeasuresTeardowns ? time.GetTimestamp() : (long?)null;
        var ownLimit = owned.TeardownTimeout ?? stack.Environment.Options.TeardownTimeout;
        var limit = TimeSpan.FromTicks(Math.Min(ownLimit.Ticks, Math.Max(0, Budget.Ticks)));

        var context = new TeardownContext(outcome, _services);
        if (limit == TimeSpan.Zero)
        {
            await context.CancelAsync().ConfigureAwait(false);
        }

        using var activity = TeardownActivity.Start(owned, outcome.Kind);
        var returning = ReturnAsync(owned, context);
        var failure = returning.IsCompleted
            ? await returning.ConfigureAwait(false)
            : await WaitAsync(returning.AsTask(), context, limit, time).ConfigureAwait(false);

        _total++;
        if (failure is not null)
        {
            (_failures ??= []).Add((owned.Name, failure));
            TeardownActivity.Fail(activity, failure);
        }

        owned.OnReturned(outcome.Kind, start is { } at ? time.GetElapsedTime(at) : null, failure);
        return failure;
    }

    /// <summary>Logs what has failed, if anything has.</summary>
    public void Report()
    {
        if (_failures is not null)
        {
            ResourceLog.TeardownFailed(stack.Environment.Logger, stack.Name, _total, _failures);
        }
    }

    private static async ValueTask<Exception?> ReturnAsync(OwnedObject owned, TeardownContext context)
    {
        try
        {
            await owned.ReturnAsync(context).ConfigureAwait(false);
            return null;
        }
#pragma warning disable CA1031 // The failure is the result: it is reported, or thrown by an early release.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return exception;
        }
    }

    private static async ValueTask<Exception?> WaitAsync(
        Task<Exception?> returning, TeardownContext context, TimeSpan limit, TimeProvider time)
    {
        // CancelAsync, because a callback that throws on a timer's thread would end the process.
        var timer = time.CreateTimer(
            static state => _ = ((TeardownContext)state!).CancelAsync(), context, limit, Timeout.InfiniteTimeSpan);
        await using (timer.ConfigureAwait(false))
        {
            try
            {
                return await returning.WaitAsync(limit > TimeSpan.Zero ? limit + Grace : TimeSpan.Zero, time).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                return new TimeoutException(
                    $"The teardown did not finish within {limit:c} and was given up. It should pass TeardownContext.Deadline on to " +
                    "what it awaits.");
            }
        }
    }
}
