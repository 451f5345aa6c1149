using System.Collections.Concurrent;

namespace ResilientHosting.Benchmarks.Peers;

/// <summary>A semaphore bounds, a stack keeps the idle.</summary>
internal sealed class SemaphorePool<T>(int maxSize, Pooled<T> objects) : IPeerPool<T>
    where T : class
{
    private readonly SemaphoreSlim _slots = new(maxSize, maxSize);
    private readonly ConcurrentStack<T> _idle = new();

    public async ValueTask<T> AcquireAsync(CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken);
        try
        {
            return _idle.TryPop(out var item) ? item : await objects.Create(cancellationToken);
        }
        catch
        {
            _slots.Release();
            throw;
        }
    }

    public async ValueTask ReturnAsync(T item)
    {
        try
        {
            if (objects.IsUsable(item))
            {
                _idle.Push(item);
            }
            else
            {
                await objects.Destroy(item);
            }
        }
        finally
        {
            _slots.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (_idle.TryPop(out var item))
        {
            await objects.Destroy(item);
        }

        _slots.Dispose();
    }
}
