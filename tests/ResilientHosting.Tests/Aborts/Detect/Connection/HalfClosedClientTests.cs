using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Detect.Connection;

public sealed class HalfClosedClientTests
{
    private const int Clients = 200;
    private const int Concurrency = 10;

    private readonly Barrier _started = new();
    private readonly Barrier _ended = new();
    private readonly CountedConnections _connections = new();
    private IClientAbortFeature? _feature;

    private static readonly Dictionary<string, (string Text, int Answers)> Requests = new()
    {
        ["get"] = (Get("/echo"), 1),
        ["get that works on"] = (Get("/late"), 1),
        ["length"] = (Post("/echo", "hello"), 1),
        ["length, read late"] = (Post("/late", "hello"), 1),
        ["length, not read"] = (Post("/unread", "hello"), 1),
        ["chunked"] = (Chunked("/echo"), 1),
        ["chunked, read late"] = (Chunked("/late"), 1),
        ["pipelined"] = (Get("/late") + Post("/late", "hello") + Chunked("/echo"), 3),
    };

    public static MatrixTheoryData<string, Wire> Cells() => new(Requests.Keys, [Wire.Http11, Wire.Http11OverTls]);

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task HalfClosed_AfterCompleteRequests_GetsEveryAnswer(string request, Wire wire)
    {
        var (text, answers) = Requests[request];
        await using var host = await StartAsync(wire, Hook.HalfClosedClients);
        var answered = 0;

        await Parallel.ForAsync(0, Clients, new ParallelOptions { MaxDegreeOfParallelism = Concurrency }, async (_, _) =>
        {
            await using var client = await WireClient.ConnectAsync(host.Address, wire);
            await client.SendAsync(text);
            await client.HalfCloseAsync();
            if ((await client.ReadToEndAsync()).Split("HTTP/1.1 200 OK").Length == answers + 1)
            {
                Interlocked.Increment(ref answered);
            }
        });

        Assert.Equal(Clients, answered);
        await _connections.NoneAsync();
        Assert.Equal(Clients, _connections.Served);
        Assert.DoesNotContain(host.Logs.Lines, line => line.Event.Name == "ClientAborted");
    }

    [Theory]
    [InlineData(Wire.Http11, Hook.Missing)]
    [InlineData(Wire.Http11, Hook.Causes)]
    [InlineData(Wire.Http11OverTls, Hook.Causes)]
    public async Task HalfClosed_WithoutTheOption_IsQuietlyAborted(Wire wire, Hook hook)
    {
        await using var host = await StartAsync(wire, hook);
        await using var client = await WireClient.ConnectAsync(host.Address, wire);
        await client.SendAsync(Get("/work"));
        await _started.PassedAsync();
        await client.HalfCloseAsync();

        Assert.Equal("", await client.ReadToEndAsync());

        await _ended.PassedAsync();
        Assert.Equal(ClientAbortCause.Client, _feature!.Cause);
        await _connections.NoneAsync();
        await host.StopAsync();
        Assert.Equal([499], AccessRecord.Statuses(host.Logs, "/work"));
    }

    [Theory]
    [InlineData(Wire.Http11)]
    [InlineData(Wire.Http11OverTls)]
    public async Task HalfClosed_InTheMiddleOfARequest_IsAborted(Wire wire)
    {
        await using var host = await StartAsync(wire, Hook.HalfClosedClients);
        await using var client = await WireClient.ConnectAsync(host.Address, wire);
        await client.SendAsync(Post("/echo", "hello")[..^2]);
        await client.HalfCloseAsync();

        Assert.Equal("", await client.ReadToEndAsync());

        await _connections.NoneAsync();
        await host.StopAsync();
        Assert.Equal([499], AccessRecord.Statuses(host.Logs, "/echo"));
        Assert.Contains("RequestBody by Client", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Wire.Http11)]
    [InlineData(Wire.Http11OverTls)]
    public async Task Reset_WhileTheRequestRuns_IsNoticedAtOnce(Wire wire)
    {
        await using var host = await StartAsync(wire, Hook.HalfClosedClients);
        await using var client = await WireClient.ConnectAsync(host.Address, wire);
        await client.SendAsync(Get("/work"));
        await _started.PassedAsync();

        client.Leave(Departure.Rst);

        await _ended.PassedAsync();
        Assert.Equal(ClientAbortCause.Client, _feature!.Cause);
        await _connections.NoneAsync();
    }

    [Fact]
    public async Task Reset_AfterTheEndWasHeld_IsNoticed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems learn of it only by a write.");
        await using var host = await StartAsync(Wire.Http11, Hook.HalfClosedClients);
        await using var client = await WireClient.ConnectAsync(host.Address, Wire.Http11);
        await client.SendAsync(Get("/work?held"));
        await client.HalfCloseAsync();
        await _started.PassedAsync();

        client.Leave(Departure.Rst);

        await _ended.PassedAsync();
        Assert.Equal(ClientAbortCause.Client, _feature!.Cause);
        await _connections.NoneAsync();
    }

    [Theory]
    [InlineData(Wire.Http11)]
    [InlineData(Wire.Http11OverTls)]
    public async Task Closed_WhileTheResponseIsSent_EndsWhenAWriteHasFailed(Wire wire)
    {
        await using var host = await StartAsync(wire, Hook.HalfClosedClients);
        await using var client = await WireClient.ConnectAsync(host.Address, wire);
        await client.SendAsync(Get("/stream"));
        await _started.PassedAsync();

        client.Leave(Departure.Fin);

        await _ended.PassedAsync();
        Assert.Equal(ClientAbortCause.Client, _feature!.Cause);
        await _connections.NoneAsync();
    }

    [Fact]
    public async Task HostStops_WhileTheEndIsHeld_CutsTheRequest()
    {
        await using var host = await StartAsync(Wire.Http11, Hook.HalfClosedClients, TimeSpan.FromMilliseconds(50));
        await using var client = await WireClient.ConnectAsync(host.Address, Wire.Http11);
        await client.SendAsync(Get("/work?held"));
        await client.HalfCloseAsync();
        await _started.PassedAsync();

        await host.StopAsync();

        await _ended.PassedAsync();
        Assert.Equal(ClientAbortCause.HostShutdown, _feature!.Cause);
        await _connections.NoneAsync();
    }

    [Theory]
    [InlineData(Hook.Causes)]
    [InlineData(Hook.HalfClosedClients)]
    public async Task Reset_InTheMiddleOfATlsRecord_IsQuiet(Hook hook)
    {
        await using var host = await StartAsync(Wire.Http11OverTls, hook);
        await using var client = await WireClient.ConnectAsync(host.Address, Wire.Http11OverTls);
        await client.SendAsync(Get("/work"));
        await _started.PassedAsync();

        // The head of an application-data record that announces 256 bytes, and one of them.
        await client.Socket.SendAsync(new byte[] { 0x17, 0x03, 0x03, 0x01, 0x00, 0x00 }, TestContext.Current.CancellationToken);
        client.Leave(Departure.Rst);

        await _ended.PassedAsync();
        Assert.Equal(ClientAbortCause.Client, _feature!.Cause);
        await _connections.NoneAsync();
    }

    [Theory]
    [InlineData(Hook.Causes, Departure.Fin)]
    [InlineData(Hook.Causes, Departure.Rst)]
    [InlineData(Hook.HalfClosedClients, Departure.Rst)]
    public async Task Storm_LeavesNoConnectionBehind(Hook hook, Departure departure)
    {
        await using var host = await StartAsync(Wire.Http11, hook);

        await Parallel.ForAsync(0, Clients, new ParallelOptions { MaxDegreeOfParallelism = Concurrency }, async (number, _) =>
        {
            await using var client = await WireClient.ConnectAsync(host.Address, Wire.Http11);
            await client.SendAsync((number % 3) switch
            {
                0 => Get("/work"),
                1 => Post("/echo", "hello")[..^2],
                _ => Get("/stream"),
            });
            client.Leave(departure);
        });

        await _connections.NoneAsync();
    }

    private static string Get(string path) => $"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n";

    private static string Post(string path, string body) => string.Create(
        CultureInfo.InvariantCulture,
        $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {body.Length}\r\n\r\n{body}");

    private static string Chunked(string path) =>
        $"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";

    private Task<KestrelTestHost> StartAsync(Wire wire, Hook hook, TimeSpan? shutdownTimeout = null) => WireHost.StartAsync(
        wire,
        hook,
        app =>
        {
            app.Use(next => async context =>
            {
                try
                {
                    await next(context);
                }
                finally
                {
                    _ended.Open();
                }
            });
            app.UseClientAbortTolerance();
            app.Map("/echo", EchoAsync);
            app.Map("/late", async (HttpContext context) =>
            {
                await EndArrivedAsync(context);
                await EchoAsync(context);
            });
            app.Map("/unread", EndArrivedAsync);
            app.MapGet("/work", async (HttpContext context) =>
            {
                _feature = context.Features.Get<IClientAbortFeature>();
                if (context.Request.QueryString.HasValue)
                {
                    await EndArrivedAsync(context);
                }

                _started.Open();
                await AbortTestApp.UntilAsync(context.RequestAborted);
            });
            app.MapGet("/stream", async (HttpContext context) =>
            {
                _feature = context.Features.Get<IClientAbortFeature>();
                _started.Open();
                while (true)
                {
                    await context.Response.WriteAsync("more", context.RequestAborted);
                    await Task.Yield();
                }
            });
        },
        _connections,
        builder => builder.Services.Configure<HostOptions>(options =>
            options.ShutdownTimeout = shutdownTimeout ?? options.ShutdownTimeout));

    /// <summary>Waits until the client's end has reached the server.</summary>
    private static Task EndArrivedAsync(HttpContext context) =>
        AbortTestApp.SignalledAsync(context.Features.Get<TransportClosed>()!.Token).WaitAsync(KestrelTestHost.Timeout);

    private static async Task EchoAsync(HttpContext context)
    {
        using var body = new StreamReader(context.Request.Body);
        var text = await body.ReadToEndAsync();
        Assert.Equal(context.Request.Method == "GET" ? "" : "hello", text);
        await context.Response.WriteAsync(text);
    }
}
