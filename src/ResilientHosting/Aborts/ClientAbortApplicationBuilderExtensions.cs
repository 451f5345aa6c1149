using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Aborts;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds client-abort tolerance to a pipeline.</summary>
public static class ClientAbortApplicationBuilderExtensions
{
    /// <summary>
    /// Makes a client's leaving a normal event: it is never logged as an error, never hides a genuine error, and ends the work it
    /// left behind by the endpoint's policy. Works without any registration of services.
    /// </summary>
    /// <remarks>
    /// Place it after <c>UseExceptionHandler</c>, so that a failure which strikes after the client has left is told from the
    /// leaving itself before anybody else judges it; and after <c>UseRouting</c> where that is called explicitly, so that the
    /// endpoint's policy is known.
    /// </remarks>
    /// <param name="app">The pipeline.</param>
    /// <param name="configure">Changes the options for this pipeline, on top of those given to <c>AddClientAbortTolerance</c>.</param>
    /// <returns>The pipeline.</returns>
    /// <exception cref="OptionsValidationException">An option is outside its range.</exception>
    public static IApplicationBuilder UseClientAbortTolerance(
        this IApplicationBuilder app, Action<ClientAbortOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        var services = app.ApplicationServices;
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ClientAbortMiddleware).Namespace!);
        var clock = services.GetService<TimeProvider>() ?? TimeProvider.System;
        var host = services.GetService<IHostApplicationLifetime>();
        var options = CreateOptions(services, configure);
        var metrics = new ClientAbortMetrics(services.GetRequiredService<IMeterFactory>());
        var orphanRecorder = new OrphanRecorder(logger, metrics, clock, options);
        var shutdownTimeout = services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout;
        var orphans = new OrphanRegistry(options, clock, orphanRecorder, shutdownTimeout, host);
        var uploads = new UploadWatch(clock, services.GetService<IOptions<KestrelServerOptions>>()?.Value.Limits.MaxRequestBufferSize);
        var settings = new AbortSettings(
            options, clock, logger, orphans, uploads, metrics, host?.ApplicationStopping ?? CancellationToken.None);
        var recorder = new AbortRecorder(logger, metrics, orphanRecorder, clock, options.DetailSampling);
        var adopting = AdoptingEndpoints.Create(services, settings);
        return app.Use(next => new ClientAbortMiddleware(next, settings, recorder, adopting).InvokeAsync);
    }

    private static ClientAbortOptions CreateOptions(IServiceProvider services, Action<ClientAbortOptions>? configure)
    {
        // A fresh instance from the factory: the options of one pipeline must not leak into another's.
        var options = services.GetRequiredService<IOptionsFactory<ClientAbortOptions>>().Create(Options.DefaultName);
        configure?.Invoke(options);
        var result = new ClientAbortOptionsValidator().Validate(Options.DefaultName, options);
        return result.Failed
            ? throw new OptionsValidationException(Options.DefaultName, typeof(ClientAbortOptions), result.Failures)
            : options;
    }
}
