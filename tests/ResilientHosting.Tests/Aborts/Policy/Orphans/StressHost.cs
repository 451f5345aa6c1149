using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy.Orphans;

/// <summary>The real middleware with everything around it, but no server, on a clock that stands still.</summary>
internal sealed class StressHost : IHostApplicationLifetime, IDisposable
{
    private readonly CancellationTokenSource _started = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly Lock _clockLock = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public StressHost(LogCollector logs, ClientAbortOptions options)
    {
        var logger = logs.CreateLogger("ResilientHosting.Aborts");
        var metrics = new ClientAbortMetrics(_services.GetRequiredService<IMeterFactory>());
        var orphanRecorder = new OrphanRecorder(logger, metrics, Clock, options);
        Orphans = new OrphanRegistry(options, Clock, orphanRecorder, TimeSpan.FromSeconds(30), this);
        var settings = new AbortSettings(
            options, Clock, logger, Orphans, new UploadWatch(Clock, inputBufferSize: null), metrics, ApplicationStopping);
        var recorder = new AbortRecorder(logger, metrics, orphanRecorder, Clock, options.DetailSampling);
        Pipeline = new ClientAbortMiddleware(
            context => ((StressRequest)context.Items[nameof(StressRequest)]!).HandleAsync(context), settings, recorder, AdoptingEndpoints.Create(_services, settings)).InvokeAsync;
    }

    public ManualTimeProvider Clock { get; } = new();

    public OrphanRegistry Orphans { get; }

    public RequestDelegate Pipeline { get; }

    public CancellationToken ApplicationStarted => _started.Token;

    public CancellationToken ApplicationStopping => _stopping.Token;

    public CancellationToken ApplicationStopped => _stopped.Token;

    public void StopApplication() => _stopping.Cancel();

    public void BeginToStop() => StopApplication();

    public void Stop() => _stopped.Cancel();

    /// <summary>One at a time, as time passes.</summary>
    public void Advance(TimeSpan by)
    {
        lock (_clockLock)
        {
            Clock.Advance(by);
        }
    }

    public void Dispose()
    {
        _services.Dispose();
        _started.Dispose();
        _stopping.Dispose();
        _stopped.Dispose();
    }
}

/// <summary>How much work goes on without its client, as seen from the handlers.</summary>
internal sealed class ObservedLimits(int limit, int limitPerClient)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _running = [];
    private int _total;

    public int Highest { get; private set; }

    public ConcurrentQueue<string> Violations { get; } = new();

    public void Enter(string? client)
    {
        lock (_lock)
        {
            Highest = Math.Max(Highest, ++_total);
            Check("all clients", _total, limit);
            if (client is not null)
            {
                _running[client] = _running.GetValueOrDefault(client) + 1;
                Check(client, _running[client], limitPerClient);
            }
        }
    }

    public void Leave(string? client)
    {
        lock (_lock)
        {
            _total--;
            if (client is not null)
            {
                _running[client] = _running.GetValueOrDefault(client) - 1;
            }
        }
    }

    private void Check(string whose, int count, int most)
    {
        if (count > most)
        {
            Violations.Enqueue($"{count} go on for {whose}, but only {most} may.");
        }
    }
}
