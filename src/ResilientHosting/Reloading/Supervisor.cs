using System.Diagnostics.CodeAnalysis;

namespace ResilientHosting.Reloading;

/// <summary>
/// The one thing that outlives all generations, and the only static state of this library: it belongs to the process, as the
/// listening sockets and the signals do.
/// </summary>
internal sealed class Supervisor
{
    // Development machines are slow to stop for one reason only: a stream that nobody ends. Nobody wants to wait for that after Ctrl+C.
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(3);

    private static Supervisor? _current;

    private readonly ReloadPipeline _pipeline;
    private readonly SwapSeams _seams;

    [RequiresUnreferencedCode("Runs the application again.")]
    [RequiresDynamicCode("Runs the application again.")]
    private Supervisor(Prerequisites prerequisites, InitialGeneration initial, DevReloaderOptions options)
    {
        _seams = initial.Seams;
        _pipeline = new ReloadPipeline(prerequisites, initial, options);
    }

    /// <summary>Gets the process's supervisor, if there is one.</summary>
    public static Supervisor? Current => Volatile.Read(ref _current);

    public int Generation => _pipeline.Serving.Number;

    public IReadOnlyList<ReloadRecord> History => _pipeline.History;

    /// <summary>Called by the pipeline of every generation while it is configured.</summary>
    [RequiresUnreferencedCode("Runs the application again.")]
    [RequiresDynamicCode("Runs the application again.")]
    public static void Use(IApplicationBuilder app, Action<DevReloaderOptions>? configure)
    {
        var services = app.ApplicationServices;
        var options = services.GetRequiredService<IOptions<DevReloaderOptions>>().Value;
        configure?.Invoke(options);

        if (Reloading.Generation.Current is { } generation && Current is { } running)
        {
            Validate(options);
            generation.LimitShutdown(ShutdownLimit);
            if (!generation.StopRequested)
            {
                running._seams.Requests.Options = options;
            }

            return;
        }

        var (prerequisites, whyOff) = Prerequisites.Find(services, options);
        if (prerequisites is not null && Current is not null)
        {
            (prerequisites, whyOff) = (null, "another host of this process is already being reloaded");
        }

        if (prerequisites is null)
        {
            DevReloaderLog.Off(services.GetRequiredService<ILoggerFactory>().CreateLogger("ResilientHosting.DevReloader"), whyOff);
            return;
        }

        Validate(options);
        var initial = services.GetService<InitialGeneration>() ?? InitialGeneration.Create();
        var supervisor = new Supervisor(prerequisites, initial, options);
        if (Interlocked.CompareExchange(ref _current, supervisor, null) is null)
        {
            supervisor.TakeCharge(app, initial, options);
        }
    }

    public void RequestReload(string reason) => _pipeline.RequestReload(reason);

    public void Pause() => _pipeline.Pause();

    public void Resume() => _pipeline.Resume();

    private void TakeCharge(IApplicationBuilder app, InitialGeneration initial, DevReloaderOptions options)
    {
        _seams.Requests.Options = options;
        initial.Generation.Attach(app.ApplicationServices);
        initial.Generation.LimitShutdown(ShutdownLimit);
        if (app.ApplicationServices.GetService<InitialGeneration>() is null)
        {
            // Without the seams nobody else marks generation 0's answers, or answers for it.
            app.Use((context, next) =>
            {
                if (initial.Generation.Finished is { IsFaulted: true, Exception.InnerException: var crash })
                {
                    return UnavailableAnswer.WriteAsync(
                        context.Features, new ApplicationUnavailableException("The application has crashed.", crash));
                }

                context.Response.OnStarting(() =>
                {
                    context.Response.Headers[DevReloaderHeaders.Generation] = initial.Generation.HeaderValue;
                    return Task.CompletedTask;
                });
                return next(context);
            });
        }

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
