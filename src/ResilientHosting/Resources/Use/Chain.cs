namespace ResilientHosting.Resources;

/// <summary>A member of one <see cref="Chain{T}"/> at a time.</summary>
internal interface IChained<T>
    where T : class
{
    T? Older { get; set; }
}

/// <summary>Objects linked through themselves: a list that costs a request nothing of its own. Its owner guards it.</summary>
internal struct Chain<T>
    where T : class, IChained<T>
{
    public T? Newest { get; private set; }

    public readonly bool IsEmpty => Newest is null;

    public readonly IEnumerable<T> NewestFirst
    {
        get
        {
            for (var item = Newest; item is not null; item = item.Older)
            {
                yield return item;
            }
        }
    }

    public void Push(T item)
    {
        item.Older = Newest;
        Newest = item;
    }

    /// <summary>False if it was not there.</summary>
    public bool Remove(T item)
    {
        T? newer = null;
        for (var each = Newest; each is not null; newer = each, each = each.Older)
        {
            if (!ReferenceEquals(each, item))
            {
                continue;
            }

            if (newer is null)
            {
                Newest = item.Older;
            }
            else
            {
                newer.Older = item.Older;
            }

            item.Older = null;
            return true;
        }

        return false;
    }
}
