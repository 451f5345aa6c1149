namespace ResilientHosting.Resources;

/// <summary>
/// Where requests tear down what they need not wait for. Bounded by how many do so at a time; there is no queue, so that nobody's time
/// runs out in it and a host that stops knows how long it may take. Who finds no room tears down where he is.
/// </summary>
internal sealed class TeardownLane(int capacity)
{
    private int _running;

    /// <summary>Runs a teardown that never throws, in the caller's execution context but not on its thread. False if there is no room.</summary>
    public bool TryRun(Func<Task> teardown)
    {
        if (Interlocked.Increment(ref _running) > capacity)
        {
            Interlocked.Decrement(ref _running);
            return false;
        }

        ThreadPool.QueueUserWorkItem(static run => _ = run.Lane.RunAsync(run.Teardown), (Lane: this, Teardown: teardown), preferLocal: false);
        return true;
    }

    private async Task RunAsync(Func<Task> teardown)
    {
        try
        {
            await teardown().ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }
}
