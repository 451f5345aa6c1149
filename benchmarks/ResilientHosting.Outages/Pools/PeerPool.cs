using ResilientHosting.Benchmarks.Peers;

namespace ResilientHosting.Outages;

/// <summary>A self-written pool, used with one deadline for waiting and creating together.</summary>
internal sealed class PeerPool<T>(string name, IPeerPool<T> pool, PoolLimits limits) : IPool<T>
    where T : class
{
    public string Name => name;

    public async Task UseAsync(Func<T, Task> work)
    {
        using var deadline = new CancellationTokenSource(limits.AcquireTimeout, TimeProvider.System);
        var item = await pool.AcquireAsync(deadline.Token);
        try
        {
            await work(item);
        }
        finally
        {
            await pool.ReturnAsync(item);
        }
    }

    public ValueTask DisposeAsync() => pool.DisposeAsync();
}
