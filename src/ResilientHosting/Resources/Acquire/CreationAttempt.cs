namespace ResilientHosting.Resources;

/// <summary>
/// One run of a factory, shared by all who wait for it. Its token is the factory's: cancelled by the time limit or the end of the scope,
/// never by a caller. What others call is called under the stack's gate.
/// </summary>
internal abstract class CreationAttempt : IChained<CreationAttempt>, IDisposable
{
    private readonly CancellationTokenSource _cancellation = new();
    private List<CreationAttempt>? _waitsFor;
    private ITimer? _timeout;
    private bool _disposed;

    public CreationAttempt? Older { get; set; }

    public abstract string Name { get; }

    /// <summary>Whether what is being created goes back when the handler has returned.</summary>
    public abstract bool EndsWithHandler { get; }

    public CancellationToken Token => _cancellation.Token;

    /// <summary>Notes that this attempt's factory is about to wait for another attempt.</summary>
    /// <exception cref="ResourceCycleException">The other waits, directly or through others, for this one.</exception>
    public void WaitFor(CreationAttempt other)
    {
        var path = new List<string>();
        if (other.FindPath(this, path))
        {
            path.Add(other.Name);
            throw new ResourceCycleException(path);
        }

        (_waitsFor ??= []).Add(other);
    }

    public void StopWaitingFor(CreationAttempt other) => _waitsFor?.Remove(other);

    public void StartTimeout(TimeProvider time, TimeSpan dueTime) =>
        _timeout = time.CreateTimer(static state => ((CreationAttempt)state!).OnTimeout(), this, dueTime, Timeout.InfiniteTimeSpan);

    /// <summary>Tells the factory to give up. Its callbacks run elsewhere: not under the gate, nor throwing into it.</summary>
    public void Cancel()
    {
        if (!_disposed)
        {
            _ = _cancellation.CancelAsync();
        }
    }

    public void Dispose()
    {
        _disposed = true;
        _timeout?.Dispose();
        _cancellation.Dispose();
    }

    protected abstract void OnTimeout();

    private bool FindPath(CreationAttempt target, List<string> path)
    {
        path.Add(Name);
        if (ReferenceEquals(this, target))
        {
            return true;
        }

        if (_waitsFor is not null)
        {
            foreach (var next in _waitsFor)
            {
                if (next.FindPath(target, path))
                {
                    return true;
                }
            }
        }

        path.RemoveAt(path.Count - 1);
        return false;
    }
}
