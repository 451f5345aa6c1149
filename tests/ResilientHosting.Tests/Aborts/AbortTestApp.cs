using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts;

/// <summary>Where the tolerance stands in relation to the application's exception handling.</summary>
public enum Pipeline
{
    WithoutExceptionHandler,
    InsideExceptionHandler,
    OutsideExceptionHandler,
}

/// <summary>
/// The application with an endpoint for each way in which an abort surfaces, gates that tell a client how far its request is, and a
/// resource that every request holds.
/// </summary>
public sealed class AbortTestApp
{
    public RequestGates Gates { get; } = new();

    public ResourceLedger Resources { get; } = new();

    public Task<KestrelTestHost> StartAsync(
        Pipeline pipeline,
        string environment,
        Protocol protocol,
        Action<WebApplication>? map = null,
        Action<WebApplicationBuilder>? configure = null) =>
        KestrelTestHost.StartAsync(
            app =>
            {
                Gates.UseEnds(app);
                UsePipeline(app, pipeline);
                ResourceLedger.UseResource(app);
                Gates.UseArrivals(app);
                app.MapAbortEndpoints();
                map?.Invoke(app);
            },
            builder =>
            {
                // The server's own Debug lines are of no interest, and the bulk.
                builder.Logging.SetMinimumLevel(LogLevel.Information).AddFilter("ResilientHosting", LogLevel.Debug);

                builder.Services.AddClientAbortTolerance();
                builder.Services.AddProblemDetails();
                builder.Services.AddControllers().AddApplicationPart(typeof(NotesController).Assembly);
                Resources.AddResource(builder.Services);
                configure?.Invoke(builder);
            },
            environment,
            protocol);

    public static void UsePipeline(WebApplication app, Pipeline pipeline)
    {
        if (pipeline == Pipeline.InsideExceptionHandler)
        {
            app.UseExceptionHandler();
        }

        app.UseClientAbortTolerance();
        if (pipeline == Pipeline.OutsideExceptionHandler)
        {
            app.UseExceptionHandler();
        }
    }

    public static Task UntilAsync(CancellationToken token) => AbortEndpoints.UntilAsync(token);

    public static Task SignalledAsync(CancellationToken token) => AbortEndpoints.SignalledAsync(token);
}
