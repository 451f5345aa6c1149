using System.Runtime.InteropServices;
using Microsoft.Extensions.Options;

namespace ScaleOut.Infrastructure;

internal sealed class DrainOptions
{
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>
/// Between the signal to stop and the stop: for the delay the host is not ready and serves as ever, so that the proxy has seen it and
/// sends nothing any more when the server closes its port. It takes the place of the host's reaction to signals, because that one
/// lets the port close at once.
/// </summary>
internal sealed class Drain(IHostApplicationLifetime host, IOptions<DrainOptions> options, TimeProvider clock, ILogger<Drain> logger)
    : IHostLifetime, IDisposable
{
    private readonly List<PosixSignalRegistration> _signals = [];
    private ITimer? _end;

    public bool IsDraining => Volatile.Read(ref _end) is not null;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGQUIT, OnSignal));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _signals.ForEach(static signal => signal.Dispose());
        _end?.Dispose();
    }

    private void OnSignal(PosixSignalContext signal)
    {
        // Or the runtime would end the process.
        signal.Cancel = true;
        var end = clock.CreateTimer(
            static state => ((IHostApplicationLifetime)state!).StopApplication(), host, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (Interlocked.CompareExchange(ref _end, end, null) is not null)
        {
            // Whoever asks twice does not want to wait.
            end.Dispose();
            host.StopApplication();
            return;
        }

        logger.LogInformation("Draining: not ready from now on, stopping in {Delay}.", options.Value.Delay);
        end.Change(options.Value.Delay, Timeout.InfiniteTimeSpan);
    }
}

internal static class DrainExtensions
{
    public static void AddDrain(this IServiceCollection services, string section)
    {
        services.AddOptions<DrainOptions>().BindConfiguration(section).ValidateOnStart()
            .Validate(options => options.Delay >= TimeSpan.Zero, $"{section}:Delay must not be negative.");
        services.AddSingleton<Drain>();
        services.AddSingleton<IHostLifetime>(static provider => provider.GetRequiredService<Drain>());
    }

    /// <summary>
    /// While the host drains, whoever asks <paramref name="readyPath"/> is told to look elsewhere, and whoever keeps a connection open is
    /// asked to open the next one elsewhere. Every other answer is as ever.
    /// </summary>
    public static void UseDrain(this WebApplication app, string readyPath)
    {
        var drain = app.Services.GetRequiredService<Drain>();
        app.Use((context, next) =>
        {
            if (!drain.IsDraining)
            {
                return next(context);
            }

            if (HttpProtocol.IsHttp11(context.Request.Protocol))
            {
                context.Response.Headers.Connection = "close";
            }

            if (context.Request.Path != readyPath)
            {
                return next(context);
            }

            // Not a health check: one that is unhealthy is logged as an error, and this is none.
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return context.Response.WriteAsync("Draining");
        });
    }
}
