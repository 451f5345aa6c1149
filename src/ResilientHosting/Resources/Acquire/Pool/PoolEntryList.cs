namespace ResilientHosting.Resources;

/// <summary>A list linked through the entries themselves, so that moving an entry costs neither a search nor memory.</summary>
internal sealed class PoolEntryList<T>
    where T : class
{
    public PoolEntry<T>? First { get; private set; }

    public PoolEntry<T>? Last { get; private set; }

    public int Count { get; private set; }

    public void AddFirst(PoolEntry<T> entry)
    {
        entry.Next = First;
        if (First is null)
        {
            Last = entry;
        }
        else
        {
            First.Previous = entry;
        }

        First = entry;
        Count++;
    }

    public void Remove(PoolEntry<T> entry)
    {
        if (entry.Previous is null)
        {
            First = entry.Next;
        }
        else
        {
            entry.Previous.Next = entry.Next;
        }

        if (entry.Next is null)
        {
            Last = entry.Previous;
        }
        else
        {
            entry.Next.Previous = entry.Previous;
        }

        entry.Previous = entry.Next = null;
        Count--;
    }
}
