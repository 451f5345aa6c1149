using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Under a test server the reloader is inert: nothing to reload, nothing started, nothing added to an answer.</summary>
public sealed class UseDevReloaderTests
{
    [Theory]
    [InlineData("Development", true, "the server is TestServer, not Kestrel")]
    [InlineData("Development", false, "the server is TestServer, not Kestrel")]
    [InlineData("Staging", true, "the environment is Staging, not Development")]
    public async Task TestServer_AnyEnvironment_SaysWhyItIsOffAndDoesNothing(string environment, bool addToo, string reason)
    {
        using var logs = new LogCollector();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.WebHost.UseTestServer();
        if (addToo)
        {
            builder.Services.AddDevReloader().AddDevReloader();
        }

        await using var app = builder.Build();
        app.UseDevReloader();
        app.MapGet("/", () => "served");
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var response = await app.GetTestClient().GetAsync("/", TestContext.Current.CancellationToken);

        Assert.Equal("served", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.False(response.Headers.Contains(DevReloaderHeaders.Generation));
        Assert.Equal($"The dev reloader is off: {reason}.", logs.Only("DevReloaderOff").Message);
        Assert.Null(Supervisor.Current);
        logs.AssertQuiet();
    }

    [Fact]
    public async Task Kestrel_InATestProcess_IsNotReloaded()
    {
        await using var host = await KestrelTestHost.StartAsync(
            app => app.UseDevReloader(), builder => builder.Services.AddDevReloader(), environment: "Development");

        Assert.Equal("The dev reloader is off: ResilientHosting.Tests is a test project.", host.Logs.Only("DevReloaderOff").Message);
        Assert.Null(Supervisor.Current);
    }

    [Fact]
    public async Task WebApplicationFactory_OfAnApplicationThatUsesIt_SaysWhyItIsOffAndServes()
    {
        using var logs = new LogCollector();
        using var data = new TemporaryFolder();
        await using var factory = new WebApplicationFactory<Program>().WithWebHostBuilder(builder => builder
            .UseEnvironment("Development")
            .UseSetting("DataFolder", data.Path)
            .ConfigureLogging(logging => logging.ClearProviders().AddProvider(logs)));

        using var response = await factory.CreateClient().GetAsync("/greeting", TestContext.Current.CancellationToken);

        Assert.Equal("Welcome to the order desk.", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.False(response.Headers.Contains(DevReloaderHeaders.Generation));
        Assert.Equal("The dev reloader is off: the server is TestServer, not Kestrel.", logs.Only("DevReloaderOff").Message);
        Assert.Null(factory.Services.GetService<InitialGeneration>());
        Assert.Null(Supervisor.Current);
        SqliteConnection.ClearAllPools();
    }

    [Fact]
    public async Task AnotherServer_Development_SaysWhyItIsOffAndServes()
    {
        using var logs = new LogCollector();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.Services.AddDevReloader();
        using var server = new IISHttpServer();
        builder.Services.AddSingleton<IServer>(server);

        await using var app = builder.Build();
        app.UseDevReloader();
        await app.StartAsync(TestContext.Current.CancellationToken);

        Assert.True(server.HasStarted);
        Assert.Equal("The dev reloader is off: the server is IISHttpServer, not Kestrel.", logs.Only("DevReloaderOff").Message);
        Assert.Null(Supervisor.Current);
        logs.AssertQuiet();
    }

    [Theory]
    [InlineData("Development", 1)]
    [InlineData("Production", 0)]
    public async Task Worker_InATestProcess_IsNotReloaded(string environment, int lines)
    {
        using var logs = new LogCollector();
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = environment });
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.Services.AddDevReloader().AddDevReloader();

        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        await host.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal(lines, logs.Lines.Count(line => line.Event.Name == "DevReloaderOff"));
        Assert.Null(Supervisor.Current);
        logs.AssertQuiet();
    }

    [Fact]
    public void IDevReloader_WhereTheReloaderIsOff_AnswersAndDoesNothing()
    {
        using var services = new ServiceCollection().AddDevReloader().BuildServiceProvider();
        var reloader = services.GetRequiredService<IDevReloader>();

        reloader.Pause();
        reloader.RequestReload("in vain");
        reloader.Resume();

        Assert.Equal(0, reloader.Generation);
        Assert.Empty(reloader.History);
        Assert.Throws<ArgumentException>(() => reloader.RequestReload(""));
    }

    /// <summary>Bears the name of the server that IIS puts in Kestrel's place.</summary>
    private sealed class IISHttpServer : IServer
    {
        public bool HasStarted { get; private set; }

        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull
        {
            HasStarted = true;
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
            // It has nothing.
        }
    }
}
