namespace ResilientHosting.Reloading;

/// <summary>Orders the sweeps: beside events seldom, where there are none or they don't tell everything often.</summary>
internal sealed class SweepTimer : IDisposable
{
    // So that sweeps beside events cost less than one percent of a core, however many files there are.
    private const int RestBesideEvents = 150;
    private const int RestOfPolling = 5;

    private static readonly TimeSpan BesideEvents = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Alone = TimeSpan.FromMilliseconds(300);

    private readonly WatchMode _mode;
    private readonly LookOrders _orders;
    private readonly TimeProvider _clock;
    private readonly Action _wake;
    private readonly SweepPace _besideEvents;
    private readonly SweepPace _polling;
    private readonly ITimer _timer;
    private TimeSpan _period = Timeout.InfiniteTimeSpan;

    public SweepTimer(DevReloaderOptions options, LookOrders orders, TimeProvider clock, Action wake)
    {
        (_mode, _orders, _clock, _wake) = (options.Watch, orders, clock, wake);
        var isAsked = options.PollingInterval is not null;
        _besideEvents = new SweepPace(options.PollingInterval ?? BesideEvents, isAsked ? 0 : RestBesideEvents, clock);
        _polling = new SweepPace(IntervalOfPolling(options), isAsked ? 0 : RestOfPolling, clock);
        _timer = clock.CreateTimer(static timer => ((SweepTimer)timer!).OnTick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public static TimeSpan IntervalOfPolling(DevReloaderOptions options) => options.PollingInterval ?? Alone;

    /// <summary>Begins, or goes on at another pace.</summary>
    /// <param name="hasPolled">Whether there are folders to be looked at often.</param>
    public void Run(bool hasPolled)
    {
        var period = hasPolled ? _polling.Interval : _mode == WatchMode.Events ? Timeout.InfiniteTimeSpan : _besideEvents.Interval;
        if (period != _period)
        {
            _period = period;
            _timer.Change(period, period);
        }
    }

    /// <summary>Says that a sweep was made.</summary>
    public void Swept(long began, bool all)
    {
        var took = _clock.GetElapsedTime(began);
        _polling.Swept(began, took);
        if (all)
        {
            _besideEvents.Swept(began, took);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void OnTick()
    {
        if (_mode != WatchMode.Events && _besideEvents.IsDue)
        {
            _orders.Sweep(all: true);
        }
        else if (_polling.IsDue)
        {
            _orders.Sweep(all: false);
        }

        _wake();
    }
}
