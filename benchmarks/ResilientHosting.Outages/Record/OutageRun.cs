using Npgsql;

namespace ResilientHosting.Outages;

/// <summary>One pool through one fault: workers use it without a pause, the fault comes and goes, and then the books are read.</summary>
internal sealed class OutageRun(IPool<NpgsqlConnection> pool, Backend backend, PoolLimits limits, OutageTimes times)
{
    private const int Workers = 16;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);

    private readonly TimeProvider _time = TimeProvider.System;
    private volatile bool _stopping;

    public async Task<OutageReport> RunAsync(Fault fault)
    {
        var workers = Enumerable.Range(0, Workers).Select(_ => Task.Run(WorkAsync)).ToList();
        await Task.Delay(times.Before, _time);

        var dials = backend.Proxy.Dials;
        var began = _time.GetTimestamp();
        await fault.RunAsync(backend);
        var lifted = _time.GetTimestamp();
        dials = backend.Proxy.Dials - dials;

        await Task.Delay(times.After, _time);
        _stopping = true;
        var attempts = (await Task.WhenAll(workers).WaitAsync(StopLimit)).SelectMany(list => list).ToList();
        var during = attempts.Where(attempt => attempt.End >= began && attempt.Start < lifted).ToList();
        var after = attempts.Where(attempt => attempt.Start >= lifted).ToList();
        var firstSuccess = attempts.Where(attempt => attempt.Result == AttemptResult.Succeeded && attempt.End >= lifted)
            .Select(attempt => (TimeSpan?)_time.GetElapsedTime(lifted, attempt.End)).Min();
        return new OutageReport(fault.Name, pool.Name)
        {
            Succeeded = attempts.Count(attempt => attempt.Result == AttemptResult.Succeeded),
            TimedOut = during.Count(attempt => attempt.Result == AttemptResult.TimedOut),
            Explained = during.Count(attempt => attempt.Result == AttemptResult.Explained),
            FailedInUse = during.Count(attempt => attempt.Result == AttemptResult.FailedInUse),
            WorstOverrun = attempts.Max(attempt => _time.GetElapsedTime(attempt.Start, attempt.Acquired) - limits.AcquireTimeout),
            DialsPerSecond = dials / _time.GetElapsedTime(began, lifted).TotalSeconds,
            FirstSuccess = firstSuccess,
            ErrorsAfterwards = after.Count(attempt => attempt.Result != AttemptResult.Succeeded),
            LeakedSlots = limits.MaxSize - await CountSlotsAsync(),
        };
    }

    private async Task<List<Attempt>> WorkAsync()
    {
        var attempts = new List<Attempt>();
        while (!_stopping)
        {
            attempts.Add(await TryAsync());
            await Task.Delay(Pause, _time);
        }

        return attempts;
    }

    private async Task<Attempt> TryAsync()
    {
        var start = _time.GetTimestamp();
        long? acquired = null;
        var result = AttemptResult.Succeeded;
        try
        {
            await pool.UseAsync(async connection =>
            {
                acquired = _time.GetTimestamp();
                await using var command = new NpgsqlCommand("SELECT 1", connection);
                await command.ExecuteScalarAsync();
            });
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            result = acquired is not null ? AttemptResult.FailedInUse
                : Attempt.IsExplained(exception) ? AttemptResult.Explained
                : AttemptResult.TimedOut;
        }

        var end = _time.GetTimestamp();
        return new Attempt(start, acquired ?? end, end, result);
    }

    /// <summary>How many connections the pool can still hand out at the same time.</summary>
    private async Task<int> CountSlotsAsync()
    {
        var everyoneAsked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var slots = 0;
        var users = Enumerable.Range(0, limits.MaxSize).Select(async _ =>
        {
            var holds = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var use = pool.UseAsync(async _ =>
            {
                Interlocked.Increment(ref slots);
                holds.SetResult();
                await everyoneAsked.Task;
            });
            await Task.WhenAny(holds.Task, use);
            return use;
        }).ToList();

        var uses = await Task.WhenAll(users);
        everyoneAsked.SetResult();
        foreach (var use in uses)
        {
            // One that failed has got no slot, and that is counted.
            await use.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return slots;
    }
}

/// <summary>How long the pool is watched before a fault and after it.</summary>
internal sealed record OutageTimes(TimeSpan Before, TimeSpan After);
