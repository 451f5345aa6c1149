using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

public enum Server
{
    Kestrel,
    TestServer,
}

/// <summary>The same application on a real Kestrel or in a TestServer; and services without a server.</summary>
public sealed class ResourceTestHost : IAsyncDisposable
{
    private readonly KestrelTestHost? _kestrel;
    private readonly WebApplication _app;

    private ResourceTestHost(WebApplication app, HttpClient client, LogCollector logs, KestrelTestHost? kestrel)
    {
        _app = app;
        _kestrel = kestrel;
        Client = client;
        Logs = logs;
    }

    public HttpClient Client { get; }

    public LogCollector Logs { get; }

    public IServiceProvider Services => _app.Services;

    public WebApplication Application => _app;

    public Server Server => _kestrel is null ? Server.TestServer : Server.Kestrel;

    public static async Task<ResourceTestHost> StartAsync(
        Server server, Action<IServiceCollection> services, Action<WebApplication> app, string environment = "Production")
    {
        if (server == Server.Kestrel)
        {
            var kestrel = await KestrelTestHost.StartAsync(app, builder => services(builder.Services), environment);
            return new ResourceTestHost(kestrel.App, kestrel.Client, kestrel.Logs, kestrel);
        }

        var logs = new LogCollector();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).AddProvider(logs);
        builder.WebHost.UseTestServer();
        services(builder.Services);
        var built = builder.Build();
        app(built);
        await built.StartAsync().WaitAsync(KestrelTestHost.Timeout);
        return new ResourceTestHost(built, built.GetTestClient(), logs, kestrel: null);
    }

    /// <summary>Services of a host without a server, with the scope validation a development host has.</summary>
    public static (ServiceProvider Services, LogCollector Logs) BuildServices(
        Action<IServiceCollection> configure, TimeProvider? time = null, bool validateScopes = true)
    {
        var logs = new LogCollector();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(logs));
        if (time is not null)
        {
            services.AddSingleton(time);
        }

        configure(services);
        return (services.BuildServiceProvider(new ServiceProviderOptions { ValidateScopes = validateScopes, ValidateOnBuild = true }), logs);
    }

    public async ValueTask DisposeAsync()
    {
        if (_kestrel is not null)
        {
            await _kestrel.DisposeAsync();
            return;
        }

        Client.Dispose();
        await _app.StopAsync().WaitAsync(KestrelTestHost.Timeout);
        await _app.DisposeAsync().AsTask().WaitAsync(KestrelTestHost.Timeout);
        Logs.AssertQuiet();
    }
}
