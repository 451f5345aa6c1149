using System.Globalization;
using System.Runtime.Loader;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace ResilientHosting.Reloading;

/// <summary>One life of the application, from the call of its entry point to the end of its host.</summary>
internal sealed class Generation(int number, AssemblyLoadContext context)
{
    private static readonly AsyncLocal<Generation?> CurrentRun = new(GenerationThreads.Notice);

    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _serverEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RunHosts _hosts = new();
    private readonly TaskCompletionSource<int> _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AssemblyLoadContext? _context = context;
    private IHostApplicationLifetime? _lifetime;
    private HostOptions? _hostOptions;
    private volatile bool _stopRequested;

    /// <summary>Gets the generation whose entry point this code was called from; null in the process's own start.</summary>
    public static Generation? Current
    {
        get => CurrentRun.Value;
        set => CurrentRun.Value = value;
    }

    /// <summary>Gets the number of this life. The process's own start is 0.</summary>
    public int Number => number;

    public string HeaderValue { get; } = number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Gets or sets what requests run in; null until its server has started.</summary>
    public RunningApplication? Application { get; set; }

    /// <summary>Gets or sets a value indicating whether its host has no web server, so that it is served without requests.</summary>
    public bool IsWorker { get; set; }

    /// <summary>Gets or sets a value indicating whether its server is an ordinary one, which closes its port when it stops.</summary>
    public bool HasOrdinaryServer { get; set; }

    /// <summary>Gets or sets the requests that were cut when it was drained.</summary>
    public IReadOnlyList<CutRequest> CutRequests { get; set; } = [];

    /// <summary>Gets the configuration of its host; null until the host is known.</summary>
    public IConfiguration? Configuration { get; private set; }

    /// <summary>Gets a value indicating whether the reloader asked it to stop: it is retired, given up, or has crashed.</summary>
    public bool StopRequested => _stopRequested;

    /// <summary>Gets a value indicating whether its host has been told to stop, by whomever.</summary>
    public bool IsStopping => _lifetime?.ApplicationStopping.IsCancellationRequested == true;

    /// <summary>Gets how long its host may take to stop.</summary>
    public TimeSpan ShutdownTimeout => _hostOptions?.ShutdownTimeout ?? TimeSpan.Zero;

    /// <summary>Gets a task that completes when the host has started as a whole.</summary>
    public Task Started => _started.Task;

    /// <summary>Gets a task that completes when its host, and what its container owns, is gone.</summary>
    public Task Stopped => _stopped.Task;

    /// <summary>
    /// Gets the entry point's exit code, or the exception that ended it: the entry point's own, or one that would have ended a process.
    /// Seen in the process's own start only if it ends of its own accord.
    /// </summary>
    public Task<int> Finished => _finished.Task;

    public AssemblyLoadContext.ContextualReflectionScope EnterContextualReflection() => _context?.EnterContextualReflection() ?? default;

    /// <summary>Learns of a host with a web server, as early as its container allows. The first to come is the one that is reloaded.</summary>
    /// <returns>Whether this is the host that is reloaded.</returns>
    public bool Attach(IServiceProvider services)
    {
        ThrowIfGivenUp();
        var lifetime = services.GetRequiredService<IHostApplicationLifetime>();
        if (Interlocked.CompareExchange(ref _lifetime, lifetime, null) is { } attached)
        {
            return attached == lifetime;
        }

        Configuration = services.GetService<IConfiguration>();
        _hostOptions = services.GetRequiredService<IOptions<HostOptions>>().Value;
        _lifetime.ApplicationStarted.Register(() => _started.TrySetResult());
        OnEnding(() => NoticeFailedService(services));
        if (number > 0 && services.GetService<IWebHostEnvironment>() is { WebRootFileProvider: { } webRoot } environment)
        {
            environment.WebRootFileProvider = new DetachedFileProvider(webRoot);
        }

        // Disposed by the container after everything that is created later, so after nearly everything the application owns.
        if (number == 0 && services.GetService<StopSentinel>() is null)
        {
            _lifetime.ApplicationStopped.Register(SetStopped);
        }

        return true;
    }

    /// <summary>Calls back when the host stops of its own accord.</summary>
    public void OnEnding(Action callback) => _lifetime!.ApplicationStopping.Register(() =>
    {
        if (!_stopRequested)
        {
            callback();
        }
    });

    /// <summary>Limits how long the host may take to stop.</summary>
    public void LimitShutdown(TimeSpan limit)
    {
        if (_hostOptions!.ShutdownTimeout > limit)
        {
            _hostOptions.ShutdownTimeout = limit;
        }
    }

    /// <summary>Learns of a host that the entry point has built, with or without a web server, so that it can be stopped.</summary>
    public void Track(IHost host)
    {
        _hosts.Add(host);
        ThrowIfGivenUp();
    }

    /// <summary>Asks its hosts to stop. Doesn't wait for what the application does then: that may block, and must not block a swap.</summary>
    public void RequestStop()
    {
        _stopRequested = true;
        IEnumerable<IHostApplicationLifetime> attached = _lifetime is null ? [] : [_lifetime];
        foreach (var host in _hosts.Lifetimes.Union(attached))
        {
            ThreadPool.UnsafeQueueUserWorkItem(static host => host.StopApplication(), host, preferLocal: false);
        }
    }

    /// <summary>Tells its host that the process is to end, as a signal does.</summary>
    public void StopApplication() =>
        ThreadPool.UnsafeQueueUserWorkItem(static host => host!.StopApplication(), _lifetime, preferLocal: false);

    /// <summary>Keeps a generation that was given up during its start from going on with it.</summary>
    /// <exception cref="HostAbortedException">It was given up; what catches everything around a host lets this one pass.</exception>
    public void ThrowIfGivenUp()
    {
        if (_stopRequested && !_started.Task.IsCompleted)
        {
            throw new HostAbortedException($"Generation {number} took too long to start and was given up.");
        }
    }

    /// <summary>Begins to stop the hosts that run besides the attached one.</summary>
    public (int Count, Task Stopped) StopOthers(TimeSpan timeout, TimeProvider clock, Action<Exception> onFailure) =>
        _hosts.StopOthers(_lifetime, timeout, clock, onFailure);

    /// <summary>It no longer serves.</summary>
    /// <returns>What is to be known of it from now on; null if it can't be unloaded.</returns>
    public RetiredGeneration? Retire() => _context is { IsCollectible: true } ? new RetiredGeneration(number, _context) : null;

    /// <summary>Waits for its host to stop and then for its server's last connection to close.</summary>
    public async Task WaitUntilEndedAsync()
    {
        await Stopped.ConfigureAwait(false);
        if (Application is not null)
        {
            await _serverEnded.Task.ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Lets the runtime drop the generation's assemblies once nothing refers to them any more. This object refers to nothing then: the
    /// execution contexts of its time, which timers and sockets may keep for long, lead here.
    /// </summary>
    public void Unload()
    {
        var unloaded = _context;
        (_context, _lifetime, _hostOptions, Application, Configuration) = (null, null, null, null, null);
        _hosts.Clear();
        unloaded?.Unload();
    }

    /// <summary>Its server is gone, with its last connection.</summary>
    public void SetServerEnded() => _serverEnded.TrySetResult();

    public void SetStopped() => _stopped.TrySetResult();

    public void SetFinished(int exitCode)
    {
        SetStopped();
        _finished.TrySetResult(exitCode);
    }

    public void SetFinished(Exception exception)
    {
        SetStopped();
        _finished.TrySetException(exception);
    }

    /// <summary>Takes an exception that would have ended a process of its own. What still runs of the generation is not stopped by it.</summary>
    /// <returns>False if it has ended or crashed before.</returns>
    public bool TryCrash(Exception exception) => _finished.TrySetException(exception);

    /// <summary>
    /// A background service that fails stops its host, and the entry point returns as if nothing had happened: here is where the
    /// exception is still known.
    /// </summary>
    private void NoticeFailedService(IServiceProvider services)
    {
        if (_hostOptions!.BackgroundServiceExceptionBehavior != BackgroundServiceExceptionBehavior.StopHost)
        {
            return;
        }

        var failure = services.GetServices<IHostedService>().OfType<BackgroundService>()
            .Select(service => service.ExecuteTask?.Exception?.InnerException)
            .FirstOrDefault(exception => exception is not null);
        if (failure is not null)
        {
            TryCrash(failure);
        }
    }

    /// <summary>Tells that generation 0's container is being disposed: its entry point is not ours, so its return is not seen.</summary>
    internal sealed class StopSentinel(Generation generation) : IDisposable
    {
        public void Dispose() => generation.SetStopped();
    }
}
