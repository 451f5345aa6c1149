using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy.Adoption;

public enum ServerKind
{
    Kestrel,
    TestServer,
}

/// <summary>A host whose <c>/work</c> adopts, and a client that sends requests with keys.</summary>
public sealed class ResendHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly MeterListener _meter = new();
    private readonly List<string> _outcomes = [];
    private readonly List<Task> _left = [];

    private ResendHost(WebApplication app) => _app = app;

    public GatedWork Work => _app.Services.GetRequiredService<GatedWork>();

    public required ManualTimeProvider Clock { get; init; }

    public required LogCollector Logs { get; init; }

    public required EventCounter Events { get; init; }

    public CancellationToken Stopping => _app.Lifetime.ApplicationStopping;

    public HttpClient Client { get; private set; } = new();

    /// <summary>What the counter of resends has counted, in order.</summary>
    public IReadOnlyList<string> Outcomes
    {
        get
        {
            lock (_outcomes)
            {
                return [.. _outcomes];
            }
        }
    }

    public static async Task<ResendHost> StartAsync(
        ServerKind server = ServerKind.Kestrel,
        Action<WebApplicationBuilder>? configure = null,
        Action<WebApplication>? use = null,
        Action<WebApplication, GatedWork>? map = null,
        Action<ClientAbortOptions>? options = null,
        string? hostName = null)
    {
        var logs = new LogCollector();
        var events = new EventCounter();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).AddProvider(logs).AddProvider(events);
        builder.Services.AddSingleton<GatedWork>();
        if (server == ServerKind.TestServer)
        {
            builder.WebHost.UseTestServer();
        }
        else
        {
            builder.WebHost.UseUrls("http://127.0.0.1:0");
        }

        var clock = new ManualTimeProvider();
        builder.Services.AddSingleton<TimeProvider>(clock);
        configure?.Invoke(builder);
        var app = builder.Build();
        var host = new ResendHost(app) { Clock = clock, Logs = logs, Events = events };
        host.Listen(app.Services.GetRequiredService<IMeterFactory>());
        app.UseClientAbortTolerance(options);
        use?.Invoke(app);
        (map ?? ((app, work) => app.MapPost("/work", work.Handler).AdoptOnResend()))(app, host.Work);
        await app.StartAsync().WaitAsync(KestrelTestHost.Timeout);
        host.Client.Dispose();
        host.Client = server == ServerKind.TestServer
            ? app.GetTestClient()
            : new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(app.Urls.First()) };
        host.Client.DefaultRequestHeaders.Host = hostName;
        host.Client.Timeout = KestrelTestHost.Timeout;
        return host;
    }

    public async Task<HttpResponseMessage> SendAsync(
        string? key,
        string body = "body",
        string path = "/work",
        string? authorization = null,
        CancellationTokenSource? leaving = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body) };
        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        }

        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        return await Client.SendAsync(request, leaving?.Token ?? CancellationToken.None);
    }

    public async Task<string> SendForTextAsync(string? key, string body = "body", string path = "/work")
    {
        using var response = await SendAsync(key, body, path);
        return await TextAsync(response);
    }

    /// <summary>Starts the work with a key, and leaves it. The run goes on without its client.</summary>
    public async Task<GatedWork.Run> LeaveWorkAsync(string key, string body = "body")
    {
        using var leaving = new CancellationTokenSource();
        var sent = SendAsync(key, body, leaving: leaving);
        var run = await Work.StartedAsync();
        await leaving.CancelAsync();
        await run.ClientLeftAsync();

        // The test server lets nobody go before the handler has ended.
        _left.Add(sent);
        return run;
    }

    /// <summary>Ends a run whose client has left, and waits until its request is over.</summary>
    public async Task EndLeftAsync(GatedWork.Run run, string text, int aborted = 1)
    {
        run.End(text);
        await Events.SeenAsync("ClientAborted", aborted);
    }

    public static async Task<string> TextAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return response.IsSuccessStatusCode ? text : $"{(int)response.StatusCode}";
    }

    public async Task StopAsync() => await _app.StopAsync().WaitAsync(KestrelTestHost.Timeout);

    public async ValueTask DisposeAsync()
    {
        foreach (var left in _left)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        }

        Client.Dispose();
        await StopAsync();
        await _app.DisposeAsync().AsTask().WaitAsync(KestrelTestHost.Timeout);
        _meter.Dispose();
        Logs.AssertQuiet();
    }

    private void Listen(IMeterFactory factory)
    {
        _meter.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "resilient_hosting.resends" && instrument.Meter.Scope == factory)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meter.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            foreach (var tag in tags)
            {
                if (tag.Key == "outcome")
                {
                    lock (_outcomes)
                    {
                        _outcomes.Add((string)tag.Value!);
                    }
                }
            }
        });
        _meter.Start();
    }
}
