namespace ResilientHosting.Reloading;

/// <summary>The pages that are open in browsers, and in sight: each listens to the reloader's events.</summary>
internal sealed class OpenPages
{
    private int _count;

    /// <summary>Raised when another page has been opened.</summary>
    public event Action? Opened;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Counts a page in, until the result is disposed.</summary>
    public IDisposable Add()
    {
        Interlocked.Increment(ref _count);
        Opened?.Invoke();
        return new OpenPage(this);
    }

    private sealed class OpenPage(OpenPages pages) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref pages._count);
    }
}
