using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <summary>An application in which <see cref="Alpha"/> goes back after the handler and <see cref="Beta"/> after the response.</summary>
public abstract class HandlerReleaseScenario : IAsyncDisposable
{
    private ResourceTestHost? _host;

    public static TheoryData<Server> Servers => [Server.Kestrel, Server.TestServer];

    protected static CancellationToken Test => TestContext.Current.CancellationToken;

    protected Ledger Ledger { get; } = new();

    /// <summary>What came out of the endpoint, where <see cref="Catch"/> is in the way.</summary>
    protected Exception? Thrown { get; private set; }

    protected ResourceTestHost Host => _host ?? throw new InvalidOperationException("Not started.");

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        Ledger.AssertBalanced();
        GC.SuppressFinalize(this);
    }

    protected async Task StartAsync(
        Server server, Action<WebApplication> app, Action<IServiceCollection>? services = null, string environment = "Production") =>
        _host = await ResourceTestHost.StartAsync(
            server,
            collection =>
            {
                collection.AddRequestScopedResource<Alpha>((_, _) => new(Ledger.Create<Alpha>()), Ledger.TearDown).ReleaseAfterHandler();
                collection.AddTracked<Beta>(Ledger);
                services?.Invoke(collection);
            },
            app,
            environment);

    /// <summary>Keeps what leaves the endpoint as <see cref="Thrown"/> and answers with 500 if that is still possible.</summary>
    protected void Catch(WebApplication app, Action? onCaught = null) => app.Use(async (context, next) =>
    {
        Thrown = await Record.ExceptionAsync(() => next(context));
        onCaught?.Invoke();
        if (!context.Response.HasStarted)
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
        }
    });

    protected async Task<Answer> UseAlphaAsync(IRequestResource<Alpha> alpha, CancellationToken aborted)
    {
        await alpha.GetAsync(aborted);
        return new Answer(Ledger);
    }

    /// <summary>What had happened when the <see cref="Answer"/> was written.</summary>
    protected async Task<string> GetAsync(string path) =>
        (await Host.Client.GetFromJsonAsync<Dictionary<string, string>>(path, Test))!["events"];

    /// <summary>A result that says what had happened when it was written.</summary>
    public sealed class Answer(Ledger ledger)
    {
        public string Events => string.Join(' ', ledger.Events);
    }
}
