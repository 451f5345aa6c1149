namespace ResilientHosting.Resources;

/// <summary>
/// Names scopes that hold a resource for long. It looks at the open scopes from time to time and remembers what it saw, so that requests
/// pay nothing for it; an age therefore counts from the first look. Without open scopes it rests.
/// </summary>
internal sealed class HeldResourceWatch : IDisposable
{
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(15);

    private readonly TimeProvider _time;
    private readonly ResourceMetrics _metrics;
    private readonly ILogger _logger;
    private readonly TimeSpan _threshold;
    private readonly TimeSpan _interval;
    private readonly ITimer _timer;
    private Dictionary<OwnedObject, Sighting> _seen = [];
    private LiveScopes? _scopes;

    public HeldResourceWatch(
        IOptions<RequestResourceOptions> options, TimeProvider time, ResourceMetrics metrics, ILoggerFactory loggers)
    {
        _time = time;
        _metrics = metrics;
        _logger = loggers.CreateLogger("ResilientHosting.Resources");
        _threshold = options.Value.HeldWarningThreshold;
        _interval = TimeSpan.FromTicks(Math.Min(_threshold.Ticks / 4, LongestInterval.Ticks));
        _timer = time.CreateTimer(
            static watch => ((HeldResourceWatch)watch!).OnLook(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>There are open scopes again.</summary>
    public void Wake(LiveScopes scopes)
    {
        _scopes = scopes;
        if (_threshold != Timeout.InfiniteTimeSpan)
        {
            _timer.Change(_interval, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void OnLook()
    {
        var scopes = _scopes!;
        Look(scopes);
        if (scopes.TryRest())
        {
            _seen = [];
        }
        else
        {
            Wake(scopes);
        }
    }

    private void Look(LiveScopes scopes)
    {
        var now = _time.GetTimestamp();
        var seen = new Dictionary<OwnedObject, Sighting>(ReferenceEqualityComparer.Instance);
        var late = new List<Sighting>();
        foreach (var scope in scopes.Snapshot())
        {
            foreach (var held in scope.Held)
            {
                var sighting = _seen.GetValueOrDefault(held) ?? new Sighting(scope, held, now);
                seen.Add(held, sighting);
                if (!sighting.IsReported && _time.GetElapsedTime(sighting.Since, now) >= _threshold)
                {
                    sighting.IsReported = true;
                    late.Add(sighting);
                }
            }
        }

        _seen = seen;

        // A thousand streams of one endpoint are one line.
        foreach (var alike in late.GroupBy(sighting => (Scope: sighting.Scope.Name, Resource: sighting.Held.Name)))
        {
            Report(alike.Key.Scope, alike.Key.Resource, [.. alike.OrderBy(sighting => sighting.Since)], now);
        }
    }

    private void Report(string scope, string resource, List<Sighting> alike, long now)
    {
        var acquirer = alike.Select(sighting => sighting.Held.Acquirer).FirstOrDefault(stack => stack is not null);
        OperationLog.HeldTooLong(
            _logger,
            scope,
            alike[0].Scope.TraceId ?? "none",
            resource,
            TimeSpan.FromSeconds((long)_time.GetElapsedTime(alike[0].Since, now).TotalSeconds),
            alike.Count - 1,
            acquirer is null ? "" : $" It was acquired at:{Environment.NewLine}{acquirer}");
        _metrics.HeldLong(resource, alike.Count);
    }

    private sealed class Sighting(ResourceStack scope, OwnedObject held, long since)
    {
        public ResourceStack Scope { get; } = scope;

        public OwnedObject Held { get; } = held;

        public long Since { get; } = since;

        public bool IsReported { get; set; }
    }
}
