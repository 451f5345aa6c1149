using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Logging;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Testing;

/// <summary>Where the client says it left and where the server says it did.</summary>
public sealed class AbortingClientTests
{
    private readonly Barrier _started = new();
    private readonly Barrier _ended = new();
    private IClientAbortFeature? _seen;

    public enum Transport
    {
        KestrelFin,
        KestrelRst,
        KestrelOverHttpClient,
        TestServer,
    }

    public static TheoryData<Transport, ClientAbortPhase> Cells()
    {
        var cells = new TheoryData<Transport, ClientAbortPhase>();
        foreach (var transport in Enum.GetValues<Transport>())
        {
            foreach (var phase in Enum.GetValues<ClientAbortPhase>().Where(phase => phase != ClientAbortPhase.WebSocket))
            {
                cells.Add(transport, phase);
            }
        }

        return cells;
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task Send_AnyPhaseAndTransport_ServerSeesTheClientLeaveThere(Transport transport, ClientAbortPhase phase)
    {
        using var logs = new LogCollector();
        await using var app = await StartAsync(transport, logs);
        using var http = transport == Transport.TestServer ? app.GetTestClient() : new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        var client = transport is Transport.KestrelFin or Transport.KestrelRst
            ? new AbortingClient(http.BaseAddress!) { WithReset = transport == Transport.KestrelRst }
            : new AbortingClient(http);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/{phase}?a=b") { Content = new StringContent("twenty bytes of text") };
        request.Headers.Add("X-Kept", "yes");

        // Only what the client cannot see for itself it has to be told.
        var when = phase is ClientAbortPhase.Queued or ClientAbortPhase.Compute
            || (phase == ClientAbortPhase.RequestBody && transport is Transport.KestrelOverHttpClient or Transport.TestServer)
                ? _started.PassedAsync()
                : null;
        await client.SendAsync(request, phase, when, TestContext.Current.CancellationToken).WaitAsync(KestrelTestHost.Timeout, CancellationToken.None);
        await _ended.PassedAsync();
        await app.StopAsync(TestContext.Current.CancellationToken);

        var isAbort = phase != ClientAbortPhase.Delivered;
        Assert.Equal(isAbort, _seen!.IsAborted);
        Assert.Equal(isAbort ? ClientAbortCause.Client : ClientAbortCause.Unknown, _seen.Cause);
        Assert.Equal(phase, _seen.Phase);
        Assert.Equal(isAbort ? 1 : 0, logs.Lines.Count(line => line.Event.Name == "ClientAborted"));
        logs.AssertQuiet();
    }

    [Theory]
    [InlineData(Transport.KestrelFin, ClientAbortPhase.RequestBody)]
    [InlineData(Transport.KestrelFin, ClientAbortPhase.Compute)]
    [InlineData(Transport.KestrelFin, ClientAbortPhase.ResponseBody)]
    [InlineData(Transport.TestServer, ClientAbortPhase.RequestBody)]
    [InlineData(Transport.TestServer, ClientAbortPhase.Compute)]
    [InlineData(Transport.TestServer, ClientAbortPhase.ResponseBody)]
    public async Task Send_ServerAnswersBeforeThePhase_SaysSo(Transport transport, ClientAbortPhase phase)
    {
        using var logs = new LogCollector();
        await using var app = await StartAsync(transport, logs);
        using var http = transport == Transport.TestServer ? app.GetTestClient() : null;
        var client = http is null ? new AbortingClient(new Uri(app.Urls.First())) : new AbortingClient(http);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/empty") { Content = new StringContent("text") };

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => client.SendAsync(request, phase, new TaskCompletionSource().Task, TestContext.Current.CancellationToken)
                .WaitAsync(KestrelTestHost.Timeout, CancellationToken.None));

        Assert.Contains("204", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"{phase}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_CancelledWhileItWaits_Leaves()
    {
        using var logs = new LogCollector();
        await using var app = await StartAsync(Transport.KestrelFin, logs);
        using var cancelling = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/Compute");
        request.Headers.Add("X-Kept", "yes");

        var sending = new AbortingClient(new Uri(app.Urls.First()))
            .SendAsync(request, ClientAbortPhase.Compute, new TaskCompletionSource().Task, cancelling.Token);
        await _started.PassedAsync();
        await cancelling.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending.WaitAsync(KestrelTestHost.Timeout, CancellationToken.None));
        await _ended.PassedAsync();
        Assert.Equal(ClientAbortPhase.Compute, _seen!.Phase);
    }

    [Theory]
    [InlineData(ClientAbortPhase.Queued)]
    [InlineData(ClientAbortPhase.Compute)]
    [InlineData(ClientAbortPhase.RequestBody)]
    [InlineData(ClientAbortPhase.WebSocket)]
    [InlineData((ClientAbortPhase)99)]
    public async Task Send_WhatCannotBeDone_IsRefusedBeforeAnythingIsSent(ClientAbortPhase phase)
    {
        using var request = new HttpRequestMessage();

        await Assert.ThrowsAnyAsync<ArgumentException>(() => new AbortingClient(new Uri("http://127.0.0.1:1"))
            .SendAsync(request, phase, cancellationToken: TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("https://localhost")]
    [InlineData("/relative")]
    public void Create_AddressWithoutPlainHttp_IsRefused(string address) =>
        Assert.Throws<ArgumentException>(() => new AbortingClient(new Uri(address, UriKind.RelativeOrAbsolute)));

    private async Task<WebApplication> StartAsync(Transport transport, LogCollector logs)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).AddProvider(logs);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        if (transport == Transport.TestServer)
        {
            builder.WebHost.UseTestServer();
        }

        var app = builder.Build();
        app.Use(next => async context =>
        {
            try
            {
                if (context.Request.Path == "/Queued")
                {
                    // The server has the request, and nobody has looked at it yet.
                    var server = context.RequestAborted;
                    _started.Open();
                    await AbortTestApp.SignalledAsync(server);
                }

                await next(context);
            }
            finally
            {
                _seen = context.Features.Get<IClientAbortFeature>();
                _ended.Open();
            }
        });
        app.UseClientAbortTolerance();
        app.MapPost("/empty", () => TypedResults.NoContent());
        app.Map("/{phase}", async (HttpContext context, ClientAbortPhase phase, CancellationToken aborted) =>
        {
            Assert.Equal("yes", context.Request.Headers["X-Kept"]);
            await (phase switch
            {
                ClientAbortPhase.RequestBody => ReadAsync(context),
                ClientAbortPhase.ResponseBody => WriteAsync(context, "text/plain", aborted),
                ClientAbortPhase.Streaming => WriteAsync(context, "text/event-stream", aborted),
                ClientAbortPhase.Delivered => EchoAsync(context),
                _ => StartAsync(AbortTestApp.UntilAsync(aborted)),
            });
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    private Task ReadAsync(HttpContext context) => StartAsync(context.Request.Body.CopyToAsync(Stream.Null));

    private static async Task WriteAsync(HttpContext context, string contentType, CancellationToken aborted)
    {
        context.Response.ContentType = contentType;
        await context.Response.WriteAsync("data: first\n\n", aborted);
        await AbortTestApp.UntilAsync(aborted);
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        Assert.Equal("twenty bytes of text", await reader.ReadToEndAsync());
        Assert.Equal("?a=b", context.Request.QueryString.Value);
        await context.Response.WriteAsync("everything");
    }

    private Task StartAsync(Task work)
    {
        _started.Open();
        return work;
    }
}
