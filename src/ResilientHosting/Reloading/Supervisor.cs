using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Hosting.Server;

namespace ResilientHosting.Reloading;

/// <summary>
/// The one thing that outlives all generations, and the only static state of this library: it belongs to the process, as the
/// listening sockets and the signals do.
/// </summary>
#pragma warning disable CA1001 // It lives as long as the process does.
internal sealed class Supervisor
#pragma warning restore CA1001
{
    // Development machines are slow to stop for one reason only: a stream that nobody ends. Nobody wants to wait for that after Ctrl+C.
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(3);

    private const string AnotherHost =
        "another host of this process is already being reloaded; this one is only started again with it";

    private static Supervisor? _current;

    private readonly ReloadPipeline _pipeline;
    private readonly SwapSeams _seams;
    private readonly Generation _initial;
    private HostEvents? _hosts;

    [RequiresUnreferencedCode("Runs the application again.")]
    [RequiresDynamicCode("Runs the application again.")]
    private Supervisor(Prerequisites prerequisites, InitialGeneration initial, DevReloaderOptions options)
    {
        _seams = initial.Seams;
        _initial = initial.Generation;
        _pipeline = new ReloadPipeline(prerequisites, initial, options);
    }

    /// <summary>Gets the process's supervisor, if there is one.</summary>
    public static Supervisor? Current => Volatile.Read(ref _current);

    public int Generation => _pipeline.Serving.Number;

    public IReadOnlyList<ReloadRecord> History => _pipeline.History;

    /// <summary>Called in every generation: by the pipeline while it is configured, or by a host without a web server as it starts.</summary>
    [RequiresUnreferencedCode("Runs the application again.")]
    [RequiresDynamicCode("Runs the application again.")]
    public static void Use(IServiceProvider services, IApplicationBuilder? app, Action<DevReloaderOptions>? configure)
    {
        var options = services.GetRequiredService<IOptions<DevReloaderOptions>>().Value;
        configure?.Invoke(options);

        if (Reloading.Generation.Current is { } generation && Current is { } running)
        {
            Validate(options);
            if (generation.Attach(services))
            {
                generation.IsWorker = app is null;
                generation.LimitShutdown(ShutdownLimit);
                if (!generation.StopRequested)
                {
                    running._seams.Requests.Options = options;
                }
            }
            else
            {
                DevReloaderLog.Off(services, AnotherHost);
            }

            return;
        }

        var (prerequisites, whyOff) = Prerequisites.Find(services, options);
        if (prerequisites is not null && Current is not null)
        {
            (prerequisites, whyOff) = (null, AnotherHost);
        }

        if (prerequisites is null)
        {
            DevReloaderLog.Off(services, whyOff);
            return;
        }

        Validate(options);
        var initial = services.GetService<InitialGeneration>() ?? InitialGeneration.Create();
        var supervisor = new Supervisor(prerequisites, initial, options);
        if (Interlocked.CompareExchange(ref _current, supervisor, null) is null)
        {
            supervisor.TakeCharge(services, app, options);
        }
    }

    public void RequestReload(string reason) => _pipeline.RequestReload(reason);

    public void Pause() => _pipeline.Pause();

    public void Resume() => _pipeline.Resume();

    private void TakeCharge(IServiceProvider services, IApplicationBuilder? app, DevReloaderOptions options)
    {
        _seams.Requests.Options = options;
        _seams.Endpoints = _pipeline.CreateEndpoints();
        _seams.Pages = _pipeline.CreatePages(_seams.Endpoints.PathBases);
        _initial.Attach(services);
        _initial.LimitShutdown(ShutdownLimit);
        _initial.IsWorker = app is null;
        _initial.HasOrdinaryServer = services.GetService<IServer>() is { } server and not SwitchedServer;
        if (_initial.HasOrdinaryServer)
        {
            // Without the seams nobody else marks generation 0's answers, or answers for it.
            app?.Use((context, next) =>
            {
                if (_seams.Endpoints.Owns(context.Features))
                {
                    return _seams.Endpoints.HandleAsync(context, _initial);
                }

                if (_initial.Finished.IsFaulted)
                {
                    return UnavailableAnswer.WriteAsync(context.Features, "The application has crashed.", _seams.Status.Now, _seams.Requests.Options);
                }

                DevReloaderHeaders.Mark(context.Features, _initial, _seams.Status, _seams.Requests.Options);
                return _seams.Pages.RunAsync(context.Features, _initial, () => next(context));
            });
        }

        // Generation 0 is the process: what it builds from now on belongs to it, as a later generation's hosts do to theirs.
        _hosts = new HostEvents(run: null, building: static _ => { }, built: _initial.Track);
        _pipeline.Start();
    }

    private static void Validate(DevReloaderOptions options)
    {
        var result = new DevReloaderOptionsValidator().Validate(Options.DefaultName, options);
        if (result.Failed)
        {
            throw new OptionsValidationException(Options.DefaultName, typeof(DevReloaderOptions), result.Failures);
        }
    }
}
