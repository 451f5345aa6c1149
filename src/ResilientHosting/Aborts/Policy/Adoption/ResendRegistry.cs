using System.Diagnostics.CodeAnalysis;

namespace ResilientHosting.Aborts;

/// <summary>
/// Knows the work that runs in this process, by key, and the results that nobody has received. Every change is made under one lock,
/// in constant time and without calling anybody. What holds whenever the lock is free:
/// <list type="number">
/// <item>Work is running or done. Running work has exactly one leader; done work has a result and no leader.</item>
/// <item>At most one caller waits, the latest, and only for running work. Whoever it replaced was told so. Each gets one turn.</item>
/// <item>Done work, and it alone, is in <c>_done</c>, oldest first, and <c>_doneSize</c> is its size: within the limit, each expiring
/// after the one before, so that one timer, set for the first, is enough.</item>
/// <item>Work that is neither running nor done is in no collection: its key is free.</item>
/// </list>
/// Every leader ends with <see cref="Complete"/> or <see cref="Fail"/>, every other caller with <see cref="TryLeave"/>,
/// <see cref="Received"/> or <see cref="Missed"/>.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The timer is armed only while results are kept, and they outlive no retention time.")]
internal sealed class ResendRegistry(AdoptionOptions options, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Work> _works = new(StringComparer.Ordinal);
    private readonly LinkedList<Work> _done = new();
    private long _doneSize;
    private ITimer? _timer;
    private DateTimeOffset _timerSetFor;

    public (int Keys, int Retained, long RetainedSize) Count
    {
        get
        {
            lock (_lock)
            {
                return (_works.Count, _done.Count, _doneSize);
            }
        }
    }

    /// <summary>
    /// Takes a request in. Its turn may come at once, or when the leader ends or a later request arrives. One whose client has left
    /// already, which may overtake the request that its client sent instead, takes nobody's place.
    /// </summary>
    public Caller Join(string key, string fingerprint, bool hasLeft = false)
    {
        lock (_lock)
        {
            if (!_works.TryGetValue(key, out var work))
            {
                work = new Work(key, fingerprint);
                _works.Add(key, work);
                var leader = new Caller(work);
                leader.Assign(new Turn(TurnKind.Lead));
                work.Leader = leader;
                return leader;
            }

            var caller = new Caller(work);
            if (work.Fingerprint != fingerprint)
            {
                caller.Assign(new Turn(TurnKind.Mismatched));
            }
            else if (hasLeft)
            {
                caller.Assign(new Turn(TurnKind.Superseded));
            }
            else if (work.Result is { } result)
            {
                work.Receiver = caller;
                caller.Assign(new Turn(TurnKind.Replay, result));
            }
            else
            {
                work.Waiter?.Assign(new Turn(TurnKind.Superseded));
                work.Waiter = caller;
            }

            return caller;
        }
    }

    /// <summary>A waiting caller's client has left. <see langword="false"/> if its turn came first and has to be taken.</summary>
    public bool TryLeave(Caller caller)
    {
        lock (_lock)
        {
            if (caller.Work.Waiter != caller)
            {
                return false;
            }

            caller.Work.Waiter = null;
            return true;
        }
    }

    public bool HasWaiter(Caller leader)
    {
        lock (_lock)
        {
            return leader.Work.Waiter is not null;
        }
    }

    /// <summary>The work has a result. It goes to whoever waits.</summary>
    /// <param name="leader">Whoever ran the work.</param>
    /// <param name="result">What the work answered.</param>
    /// <param name="isReceived">Whether the leader's own client has received it, so that nobody is missing it.</param>
    /// <param name="isKeptElsewhere">Whether the result is safe without being kept here for those who may still come.</param>
    public void Complete(Caller leader, CapturedResponse result, bool isReceived, bool isKeptElsewhere)
    {
        lock (_lock)
        {
            var work = leader.Work;
            work.Leader = null;
            if (work.Waiter is null && (isReceived || isKeptElsewhere))
            {
                _works.Remove(work.Key);
                return;
            }

            work.Result = result;
            work.IsKeptElsewhere = isKeptElsewhere;
            work.ExpiresAt = clock.GetUtcNow() + options.ResultRetention;
            work.Position = _done.AddLast(work);
            _doneSize += result.Size;
            if (work.Waiter is { } waiter)
            {
                work.Waiter = null;
                work.Receiver = waiter;
                waiter.Assign(new Turn(TurnKind.Adopt, result));
            }

            while (_doneSize > options.MaxRetainedSize)
            {
                Forget(_done.First!.Value);
            }

            SetTimer();
        }
    }

    /// <summary>The work has no result. Whoever waits takes over, else the key is free.</summary>
    public void Fail(Caller leader)
    {
        lock (_lock)
        {
            var work = leader.Work;
            work.Leader = work.Waiter;
            work.Waiter = null;
            if (work.Leader is { } successor)
            {
                successor.Assign(new Turn(TurnKind.TakeOver));
            }
            else
            {
                _works.Remove(work.Key);
            }
        }
    }

    /// <summary>A caller's client has its result. Unless a later one is on its way to another caller, nobody is missing it.</summary>
    public void Received(Caller caller)
    {
        lock (_lock)
        {
            if (caller.Work.Receiver == caller)
            {
                Forget(caller.Work);
                SetTimer();
            }
        }
    }

    /// <summary>A caller's client left before it had its result, which stays for the next one.</summary>
    public void Missed(Caller caller)
    {
        lock (_lock)
        {
            if (caller.Work.Receiver == caller && caller.Work.IsKeptElsewhere)
            {
                Forget(caller.Work);
                SetTimer();
            }
        }
    }

    private void Forget(Work work)
    {
        // Its time may have run out while it was on its way, and its key may be in use again.
        if (work.Position is { } position)
        {
            _done.Remove(position);
            _doneSize -= work.Result!.Size;
            _works.Remove(work.Key);
            work.Position = null;
        }
    }

    private void Expire()
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            while (_done.First is { } oldest && oldest.Value.ExpiresAt <= now)
            {
                Forget(oldest.Value);
            }

            SetTimer();
        }
    }

    private void SetTimer()
    {
        var oldest = _done.First?.Value;
        if (oldest is null)
        {
            _timer?.Dispose();
            _timer = null;
            return;
        }

        if (_timer is null || oldest.ExpiresAt != _timerSetFor)
        {
            _timerSetFor = oldest.ExpiresAt;
            var time = oldest.ExpiresAt - clock.GetUtcNow();
            time = time > TimeSpan.Zero ? time : TimeSpan.Zero;
            _timer?.Dispose();
            _timer = clock.CreateTimer(static state => ((ResendRegistry)state!).Expire(), this, time, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>One request with a key.</summary>
    public sealed class Caller(Work work)
    {
        private readonly TaskCompletionSource<Turn> _turn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Work Work => work;

        public Task<Turn> Turn => _turn.Task;

        public void Assign(Turn turn) => _turn.SetResult(turn);
    }

    /// <summary>What the requests with one key have in common. Changed by the registry alone.</summary>
    public sealed class Work(string key, string fingerprint)
    {
        public string Key => key;

        public string Fingerprint => fingerprint;

        public Caller? Leader { get; set; }

        public Caller? Waiter { get; set; }

        public Caller? Receiver { get; set; }

        public CapturedResponse? Result { get; set; }

        public bool IsKeptElsewhere { get; set; }

        public DateTimeOffset ExpiresAt { get; set; }

        public LinkedListNode<Work>? Position { get; set; }
    }
}
