using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHosting.Tests.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.AbortStorms;

/// <summary>A running Kestrel with the endpoints of the tests.</summary>
internal sealed class Server : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Protocol _protocol;

    private Server(WebApplication app, Protocol protocol, LineCounter lines, ConnectionCount connections)
    {
        _app = app;
        _protocol = protocol;
        Lines = lines;
        Connections = connections;
    }

    public LineCounter Lines { get; }

    public ConnectionCount Connections { get; }

    public required RequestGates Gates { get; init; }

    public Uri Address => new(_app.Urls.First());

    public static async Task<Server> StartAsync(Contestant contestant, Protocol protocol, Action<WebApplication>? map = null, bool gated = true)
    {
        var lines = new LineCounter();
        var connections = new ConnectionCount();
        var gates = new RequestGates();
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Information).AddProvider(lines);
        builder.ListenFor(protocol);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen =>
        {
            listen.Protocols = protocol.ServerProtocols;
            connections.Count(listen);
        }));
        builder.Services.AddProblemDetails();
        builder.Services.AddControllers().AddApplicationPart(typeof(NotesController).Assembly);

        var app = builder.Build();
        if (gated)
        {
            gates.UseEnds(app);
        }

        contestant.Use(app);
        if (gated)
        {
            gates.UseArrivals(app);
        }

        app.MapAbortEndpoints();
        map?.Invoke(app);
        await app.StartAsync();
        return new Server(app, protocol, lines, connections) { Gates = gates };
    }

    public async Task<bool> IsHealthyAsync()
    {
        using var client = _protocol.CreateClient(Address);
        return await client.GetStringAsync("/health") == "healthy";
    }

    /// <summary>Stops. All lines have been counted afterwards.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
