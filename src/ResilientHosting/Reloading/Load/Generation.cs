using System.Globalization;
using System.Runtime.Loader;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace ResilientHosting.Reloading;

/// <summary>One life of the application, from the call of its entry point to the end of its host.</summary>
internal sealed class Generation(int number, AssemblyLoadContext context)
{
    private static readonly AsyncLocal<Generation?> CurrentRun = new();

    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
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

    /// <summary>Gets or sets how many requests were cut when it was drained.</summary>
    public int CutRequests { get; set; }

    /// <summary>Gets the configuration of its host; null until the host is known.</summary>
    public IConfiguration? Configuration { get; private set; }

    /// <summary>Gets a value indicating whether the reloader asked it to stop. Otherwise it stops because the process ends.</summary>
    public bool StopRequested => _stopRequested;

    /// <summary>Gets a task that completes when the host has started as a whole.</summary>
    public Task Started => _started.Task;

    /// <summary>Gets a task that completes when its host, and what its container owns, is gone.</summary>
    public Task Stopped => _stopped.Task;

    /// <summary>Gets the entry point's exit code, or its exception. Never completes for the process's own start.</summary>
    public Task<int> Finished => _finished.Task;

    public AssemblyLoadContext.ContextualReflectionScope EnterContextualReflection() => context.EnterContextualReflection();

    /// <summary>Learns of the host. Called for every host that gets a web server, as early as its container allows.</summary>
    public void Attach(IServiceProvider services)
    {
        if (_lifetime is not null)
        {
            return;
        }

        _lifetime = services.GetRequiredService<IHostApplicationLifetime>();
        Configuration = services.GetService<IConfiguration>();
        _hostOptions = services.GetRequiredService<IOptions<HostOptions>>().Value;
        _lifetime.ApplicationStarted.Register(() => _started.TrySetResult());

        // Disposed by the container after everything that is created later, so after nearly everything the application owns.
        if (number == 0 && services.GetService<StopSentinel>() is null)
        {
            _lifetime.ApplicationStopped.Register(SetStopped);
        }
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

    /// <summary>Asks the host to stop. Doesn't wait for what the application does then: that may block, and must not block a swap.</summary>
    public void RequestStop()
    {
        _stopRequested = true;
        if (_lifetime is not null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static lifetime => lifetime.StopApplication(), _lifetime, preferLocal: false);
        }
    }

    /// <summary>Lets the runtime drop the generation's assemblies once nothing refers to them any more.</summary>
    public void Unload()
    {
        if (context.IsCollectible)
        {
            context.Unload();
        }
    }

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

    /// <summary>Tells that generation 0's container is being disposed: its entry point is not ours, so its return is not seen.</summary>
    internal sealed class StopSentinel(Generation generation) : IDisposable
    {
        public void Dispose() => generation.SetStopped();
    }
}
