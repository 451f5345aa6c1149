namespace ResilientHosting.Aborts;

/// <summary>A stretch of work that must not be cancelled half-way. It ends when it is disposed of or when its time is over.</summary>
internal sealed class CancellationDeferral : IDisposable
{
    private readonly WorkCancellation _work;
    private readonly ITimer _cap;
    private int _ended;

    public CancellationDeferral(WorkCancellation work, TimeProvider clock, TimeSpan cap)
    {
        _work = work;
        _cap = clock.CreateTimer(static state => ((CancellationDeferral)state!).End(), this, cap, Timeout.InfiniteTimeSpan);
    }

    public void Dispose()
    {
        _cap.Dispose();
        End();
    }

    private void End()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
        {
            _work.EndDeferral();
        }
    }
}
