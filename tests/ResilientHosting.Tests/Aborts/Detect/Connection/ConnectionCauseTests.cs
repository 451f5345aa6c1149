using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Detect.Connection;

public sealed class ConnectionCauseTests
{
    private readonly Barrier _started = new();
    private readonly Barrier _ended = new();
    private readonly CountedConnections _connections = new();
    private IClientAbortFeature? _feature;

    public static MatrixTheoryData<Wire, Hook, Departure> Cells() => new(
        Enum.GetValues<Wire>(), Enum.GetValues<Hook>(), [Departure.Fin, Departure.Rst]);

    /// <summary>
    /// Without those where it is open what happens. Over HTTP/1.1 a client of which only the end has arrived may be answered; then
    /// nothing is aborted. Over HTTP/2 a host that stops says so in a frame, and where that finds no client a failed write is all that
    /// shows.
    /// </summary>
    public static TheoryData<Wire, Hook, Departure> AbortedCells()
    {
        var cells = new TheoryData<Wire, Hook, Departure>();
        foreach (var (wire, hook, departure) in Cells().Select(cell => cell.Data))
        {
            if (wire == Wire.Http2 ? hook == Hook.Missing : hook != Hook.HalfClosedClients || departure != Departure.Fin)
            {
                cells.Add(wire, hook, departure);
            }
        }

        return cells;
    }

    public static MatrixTheoryData<Wire, Hook> HookedWires() => new(Enum.GetValues<Wire>(), [Hook.Causes, Hook.HalfClosedClients]);

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task Client_LeavesDuringAResponse_IsTheClient(Wire wire, Hook hook, Departure departure)
    {
        await using var host = await StartAsync(wire, hook, StreamAsync);
        await LeaveAsync(host, wire, departure);

        await _ended.PassedAsync();
        Assert.Equal(ClientAbortCause.Client, _feature!.Cause);
        await _connections.NoneAsync();
    }

    [Theory]
    [MemberData(nameof(HookedWires))]
    public async Task Client_ReadsTooSlowly_IsASlowClient(Wire wire, Hook hook)
    {
        await using var host = await StartAsync(wire, hook, StreamAsync, builder => builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 1e9, gracePeriod: TimeSpan.FromSeconds(1.001))));
        await using var client = await (wire == Wire.Http2
            ? WireClient.StallHttp2Async(host.Address)
            : WireClient.ConnectAsync(host.Address, wire));
        if (wire != Wire.Http2)
        {
            await client.GetAsync("/");
        }

        await _ended.PassedAsync();

        Assert.Equal(ClientAbortCause.SlowClient, _feature!.Cause);
    }

    [Theory]
    [MemberData(nameof(HookedWires))]
    public async Task Application_Aborts_IsTheApplication(Wire wire, Hook hook)
    {
        await using var host = await StartAsync(wire, hook, context =>
        {
            context.Abort();
            return AbortTestApp.UntilAsync(context.RequestAborted);
        });
        await using var client = await WireClient.ConnectAsync(host.Address, wire);
        await client.GetAsync("/");

        await _ended.PassedAsync();

        Assert.Equal(ClientAbortCause.Application, _feature!.Cause);
    }

    [Theory]
    [MemberData(nameof(HookedWires))]
    public async Task Application_AbortsTheConnection_IsTheApplication(Wire wire, Hook hook)
    {
        await using var host = await StartAsync(wire, hook, context =>
        {
            context.Features.Get<Microsoft.AspNetCore.Connections.Features.IConnectionLifetimeFeature>()!.Abort();
            return AbortTestApp.UntilAsync(context.RequestAborted);
        });
        await using var client = await WireClient.ConnectAsync(host.Address, wire);
        await client.GetAsync("/");

        await _ended.PassedAsync();

        Assert.Equal(ClientAbortCause.Application, _feature!.Cause);
    }

    [Theory]
    [MemberData(nameof(AbortedCells))]
    public async Task Client_LeavesWhileTheHostStops_IsTheClientWithTheHookOnly(Wire wire, Hook hook, Departure departure)
    {
        await using var host = await StartAsync(wire, hook, async context =>
        {
            await context.Response.WriteAsync("first", context.RequestAborted);
            await AbortTestApp.UntilAsync(context.RequestAborted);
        });
        Task? stopped = null;
        await LeaveAsync(host, wire, departure, () =>
        {
            stopped = host.StopAsync();
            Assert.True(host.App.Lifetime.ApplicationStopping.IsCancellationRequested);
        });

        await stopped!;

        Assert.Equal(hook == Hook.Missing ? ClientAbortCause.HostShutdown : ClientAbortCause.Client, _feature!.Cause);
        await _connections.NoneAsync();
    }

    [Theory]
    [MemberData(nameof(HookedWires))]
    public async Task HostShutdown_CutsARequest_IsTheHost(Wire wire, Hook hook)
    {
        await using var host = await StartAsync(
            wire,
            hook,
            context => AbortTestApp.UntilAsync(context.RequestAborted),
            builder => builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(50)));
        await using var client = await WireClient.ConnectAsync(host.Address, wire);
        await client.GetAsync("/");
        await _started.PassedAsync();

        await host.StopAsync();

        Assert.Equal(ClientAbortCause.HostShutdown, _feature!.Cause);
        await _connections.NoneAsync();
    }

    private async Task LeaveAsync(KestrelTestHost host, Wire wire, Departure departure, Action? before = null)
    {
        await using var client = await WireClient.ConnectAsync(host.Address, wire);
        await client.GetAsync("/");
        await _started.PassedAsync();

        // Nothing is under way to the client any more, so that it is its end which the server notices and not a write that fails.
        await client.AnswerBeginsAsync();
        before?.Invoke();
        client.Leave(departure);
        await _ended.PassedAsync();
    }

    /// <summary>Sends for as long as anybody is there.</summary>
    private static async Task StreamAsync(HttpContext context)
    {
        var part = new byte[64 * 1024];
        while (true)
        {
            await context.Response.Body.WriteAsync(part, context.RequestAborted);
        }
    }

    private Task<KestrelTestHost> StartAsync(
        Wire wire, Hook hook, RequestDelegate handler, Action<WebApplicationBuilder>? configureBuilder = null) => WireHost.StartAsync(
        wire,
        hook,
        app =>
        {
            app.UseEndBarrier("/", _ended);
            app.UseClientAbortTolerance();
            app.MapGet("/", context =>
            {
                _feature = context.Features.Get<IClientAbortFeature>();
                _started.Open();
                return handler(context);
            });
        },
        _connections,
        configureBuilder);
}
