namespace ResilientHosting.Resources;

/// <summary>The idle entries of a pool from the one returned first to the one returned last: a ring, so that both ends are near.</summary>
internal sealed class IdleEntries<T>
    where T : class
{
    private PoolEntry<T>?[] _ring = new PoolEntry<T>?[4];
    private int _oldest;

    public int Count { get; private set; }

    public PoolEntry<T> Oldest => this[0];

    public PoolEntry<T> Newest => this[Count - 1];

    /// <param name="index">Counted from the oldest.</param>
    public PoolEntry<T> this[int index] => _ring[Position(index)]!;

    public void Add(PoolEntry<T> entry)
    {
        if (Count == _ring.Length)
        {
            Grow();
        }

        _ring[Position(Count)] = entry;
        Count++;
    }

    public void RemoveNewest() => _ring[Position(--Count)] = null;

    public PoolEntry<T> RemoveOldest()
    {
        var oldest = Oldest;
        _ring[_oldest] = null;
        _oldest = Position(1);
        Count--;
        return oldest;
    }

    /// <summary>Removes one in between: moves all that are newer.</summary>
    public void RemoveAt(int index)
    {
        for (var i = index; i < Count - 1; i++)
        {
            _ring[Position(i)] = _ring[Position(i + 1)];
        }

        RemoveNewest();
    }

    // The length is a power of two.
    private int Position(int index) => (_oldest + index) & (_ring.Length - 1);

    private void Grow()
    {
        var larger = new PoolEntry<T>?[_ring.Length * 2];
        for (var i = 0; i < Count; i++)
        {
            larger[i] = this[i];
        }

        _ring = larger;
        _oldest = 0;
    }
}
