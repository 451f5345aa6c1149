using Microsoft.Extensions.Hosting;

namespace ResilientHosting.Aborts;

/// <summary>
/// Every request whose client has left and whose handler still runs. It limits how many of them may go on, names those that do
/// not stop when they are told to, and gives each the same end when the host stops.
/// </summary>
/// <remarks>
/// Under the lock: the list holds exactly the orphans between <see cref="Add"/> and <see cref="Remove"/>, oldest first; the loads
/// are the sums over its elements. Cancelling and recording happen outside it, because both run foreign code.
/// </remarks>
internal sealed class OrphanRegistry
{
    // How long work may take to unwind after its token has fired before it counts as not stopping.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    // What the host keeps for itself at the end of its shutdown time, to tear down what the cancelled work held.
    private static readonly TimeSpan ShutdownReserve = TimeSpan.FromSeconds(2);

    private readonly ClientAbortOptions _options;
    private readonly TimeProvider _clock;
    private readonly OrphanRecorder _recorder;
    private readonly TimeSpan _shutdownBudget;
    private readonly Lock _lock = new();
    private readonly LinkedList<Orphan> _orphans = [];
    private readonly ClientLoads _loads = new();
    private readonly ITimer _watchdog;
    private DateTimeOffset? _stopsAt;
    private bool _isWatching;

    public OrphanRegistry(
        ClientAbortOptions options, TimeProvider clock, OrphanRecorder recorder, TimeSpan shutdownTimeout, IHostApplicationLifetime? host)
    {
        _options = options;
        _clock = clock;
        _recorder = recorder;
        _shutdownBudget = shutdownTimeout > 2 * ShutdownReserve ? shutdownTimeout - ShutdownReserve : shutdownTimeout / 2;
        _watchdog = clock.CreateTimer(
            static state => ((OrphanRegistry)state!).Watch(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        // Never unregistered: the registry lives as long as the host.
        host?.ApplicationStopping.UnsafeRegister(static state => ((OrphanRegistry)state!).OnHostStopping(), this);
        host?.ApplicationStopped.UnsafeRegister(static state => ((OrphanRegistry)state!).OnHostStopped(), this);
    }

    /// <summary>What runs at this moment, and for how many clients.</summary>
    public (ClientLoads.Load Total, int Clients) Loads
    {
        get
        {
            lock (_lock)
            {
                return (_loads.Total, _loads.Clients);
            }
        }
    }

    /// <summary>Whether this client, or everybody together, has left as much running as may be left.</summary>
    public bool IsFull(object? client)
    {
        lock (_lock)
        {
            return _orphans.Count >= _options.MaxOrphans || _loads.Of(client).Running >= _options.MaxOrphansPerClient;
        }
    }

    public void Add(Orphan orphan)
    {
        lock (_lock)
        {
            orphan.Node = _orphans.AddLast(orphan);
            _loads.Change(orphan.Client, running: 1);
            if (!_isWatching)
            {
                WatchFrom(orphan);
            }
        }

        _recorder.Added(orphan);
    }

    /// <summary>Lets the work of an orphan go on, unless too much goes on already.</summary>
    public bool TryAdmit(Orphan orphan)
    {
        DateTimeOffset? stopsAt;
        lock (_lock)
        {
            if (orphan.Node is null)
            {
                // Its request has ended meanwhile: there is nothing left to be refused.
                return true;
            }

            if (_loads.Total.Admitted >= _options.MaxOrphans || _loads.Of(orphan.Client).Admitted >= _options.MaxOrphansPerClient)
            {
                return false;
            }

            orphan.IsAdmitted = true;
            _loads.Change(orphan.Client, admitted: 1);
            stopsAt = _stopsAt;
        }

        if (stopsAt is { } at)
        {
            CutAt(orphan, at);
        }

        return true;
    }

    public void Remove(Orphan orphan)
    {
        lock (_lock)
        {
            _orphans.Remove(orphan.Node!);
            orphan.Node = null;
            _loads.Change(orphan.Client, running: -1, admitted: orphan.IsAdmitted ? -1 : 0);
            if (_orphans.Count == 0)
            {
                _isWatching = false;
                _watchdog.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }

        _recorder.Removed(orphan);
    }

    // One timer for all: they all have the same time, so they come due in the order of the list.
    private void Watch()
    {
        List<Orphan> stuck = [];
        lock (_lock)
        {
            _isWatching = false;
            foreach (var orphan in _orphans)
            {
                if (orphan.IsReported)
                {
                    continue;
                }

                if (DueAt(orphan) > _clock.GetUtcNow())
                {
                    WatchFrom(orphan);
                    break;
                }

                orphan.IsReported = true;
                stuck.Add(orphan);
            }
        }

        foreach (var orphan in stuck)
        {
            _recorder.DoesNotStop(orphan);
        }
    }

    private void WatchFrom(Orphan oldest)
    {
        var left = DueAt(oldest) - _clock.GetUtcNow();
        _isWatching = true;
        _watchdog.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private DateTimeOffset DueAt(Orphan orphan) => orphan.Since + _options.OrphanHardCap + Grace;

    private void OnHostStopping()
    {
        var stopsAt = _clock.GetUtcNow() + _shutdownBudget;
        List<Orphan> admitted;
        lock (_lock)
        {
            _stopsAt = stopsAt;
            admitted = [.. _orphans.Where(static orphan => orphan.IsAdmitted)];
        }

        foreach (var orphan in admitted)
        {
            CutAt(orphan, stopsAt);
        }
    }

    private void CutAt(Orphan orphan, DateTimeOffset stopsAt)
    {
        var left = stopsAt - _clock.GetUtcNow();
        orphan.Work?.CancelWithin(left > TimeSpan.Zero ? left : TimeSpan.Zero, AbortOutcome.Shutdown);
    }

    private void OnHostStopped()
    {
        List<Orphan> left;
        lock (_lock)
        {
            left = [.. _orphans];
        }

        _watchdog.Dispose();
        foreach (var orphan in left)
        {
            _recorder.LeftBehind(orphan);
        }
    }
}
