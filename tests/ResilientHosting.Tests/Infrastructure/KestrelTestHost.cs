using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>
/// A real Kestrel on a free loopback port. When it is disposed it stops the host and fails the test if anything unexpected was
/// logged at Warning or above.
/// </summary>
public sealed class KestrelTestHost : IAsyncDisposable
{
    public static readonly TimeSpan Timeout = LeavingClient.Timeout;

    private bool _stopped;

    private KestrelTestHost(WebApplication app, LogCollector logs, Protocol protocol)
    {
        App = app;
        Logs = logs;
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Address = new Uri(address);
        Client = protocol.CreateClient(Address);
    }

    public WebApplication App { get; }

    public LogCollector Logs { get; }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public static async Task<KestrelTestHost> StartAsync(
        Action<WebApplication> configureApp,
        Action<WebApplicationBuilder>? configureBuilder = null,
        string environment = "Production",
        Protocol protocol = Protocol.Http1)
    {
        var logs = new LogCollector();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).AddProvider(logs);
        builder.ListenFor(protocol);
        configureBuilder?.Invoke(builder);

        var app = builder.Build();
        configureApp(app);
        await app.StartAsync().WaitAsync(Timeout);
        return new KestrelTestHost(app, logs, protocol);
    }

    public async Task StopAsync()
    {
        if (_stopped)
        {
            return;
        }

        _stopped = true;
        Client.Dispose();
        await App.StopAsync().WaitAsync(Timeout);
        await App.DisposeAsync().AsTask().WaitAsync(Timeout);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Logs.AssertQuiet();
    }
}
