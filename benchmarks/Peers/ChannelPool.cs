using System.Threading.Channels;

namespace ResilientHosting.Benchmarks.Peers;

/// <summary>
/// A channel keeps the idle and the waiters, a counter bounds; the way several database drivers do it. A <see langword="null"/> in the
/// channel wakes a waiter because a slot has become free.
/// </summary>
internal sealed class ChannelPool<T>(int maxSize, Pooled<T> objects) : IPeerPool<T>
    where T : class
{
    private readonly Channel<T?> _idle = Channel.CreateUnbounded<T?>();
    private int _count;

    public async ValueTask<T> AcquireAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!_idle.Reader.TryRead(out var item))
            {
                if (TryTakeSlot())
                {
                    return await CreateAsync(cancellationToken);
                }

                item = await _idle.Reader.ReadAsync(cancellationToken);
            }

            if (item is not null)
            {
                return item;
            }
        }
    }

    public async ValueTask ReturnAsync(T item)
    {
        if (objects.IsUsable(item))
        {
            _idle.Writer.TryWrite(item);
            return;
        }

        try
        {
            await objects.Destroy(item);
        }
        finally
        {
            FreeSlot();
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (_idle.Reader.TryRead(out var item))
        {
            if (item is not null)
            {
                await objects.Destroy(item);
            }
        }
    }

    private async ValueTask<T> CreateAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await objects.Create(cancellationToken);
        }
        catch
        {
            FreeSlot();
            throw;
        }
    }

    private bool TryTakeSlot()
    {
        for (var count = Volatile.Read(ref _count); count < maxSize; count = Volatile.Read(ref _count))
        {
            if (Interlocked.CompareExchange(ref _count, count + 1, count) == count)
            {
                return true;
            }
        }

        return false;
    }

    private void FreeSlot()
    {
        Interlocked.Decrement(ref _count);
        _idle.Writer.TryWrite(null);
    }
}
