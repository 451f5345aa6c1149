using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <summary>The second release point: the handler has returned, its result is not written yet.</summary>
public sealed class ReleaseAfterHandlerTests : IAsyncDisposable
{
    private readonly Ledger _ledger = new();
    private ResourceTestHost? _host;

    public static TheoryData<Server> Servers => [Server.Kestrel, Server.TestServer];

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Servers))]
    public async Task Resource_IsTornDownBeforeTheResultIsWritten(Server server)
    {
        await StartAsync(server, app => app.MapGet("/", UseAlphaAsync));

        Assert.Equal("+Alpha -Alpha", await GetAsync("/"));

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, 200, false), (outcome.Kind, outcome.StatusCode, outcome.ResponseStarted));
        Assert.True(outcome.ShouldCommit);
    }

    [Fact]
    public async Task Resource_OnlyARepositoryAskedFor_IsTornDownBeforeTheResultIsWritten()
    {
        await StartAsync(
            Server.Kestrel,
            app => app.MapGet("/", async (Repository repository) =>
            {
                await repository.UseAsync();
                return new Answer(_ledger);
            }),
            services => services.AddTransient<Repository>());

        Assert.Equal("+Alpha -Alpha", await GetAsync("/"));
    }

    [Theory]
    [InlineData("/nested/in/groups")]
    [InlineData("/nothing/matches/this")]
    [InlineData("/tagged")]
    public async Task Resource_IsTornDownAfterAllFilters_WhereverTheEndpointWasMapped(string path)
    {
        EndpointFilterDelegate Record(EndpointFilterDelegate next, string name) => async invocation =>
        {
            var result = await next(invocation);
            _ledger.Events.Enqueue(name);
            return result;
        };

        await StartAsync(Server.Kestrel, app =>
        {
            var outer = app.MapGroup("/nested").AddEndpointFilterFactory((_, next) => Record(next, "outer"));
            var inner = outer.MapGroup("/in").AddEndpointFilterFactory((_, next) => Record(next, "inner"));
            inner.MapGet("/groups", UseAlphaAsync);
            app.MapFallback(UseAlphaAsync).AddEndpointFilterFactory((_, next) => Record(next, "fallback"));
            app.MapGet("/tagged", UseAlphaAsync)
                .AddEndpointFilterFactory((_, next) => Record(next, "tagged"))
                .ReleaseResourcesAfterHandler();
        });

        var events = (await GetAsync(path)).Split(' ');

        Assert.Equal("+Alpha", events[0]);
        Assert.Equal("-Alpha", events[^1]);
        Assert.True(events.Length > 2, string.Join(' ', events));
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        _ledger.AssertBalanced();
    }

    private async Task<Answer> UseAlphaAsync(IRequestResource<Alpha> alpha, CancellationToken aborted)
    {
        await alpha.GetAsync(aborted);
        return new Answer(_ledger);
    }

    private async Task<string> GetAsync(string path) =>
        (await _host!.Client.GetFromJsonAsync<Dictionary<string, string>>(path, Test))!["events"];

    private async Task StartAsync(
        Server server, Action<WebApplication> app, Action<IServiceCollection>? services = null, string environment = "Production") =>
        _host = await ResourceTestHost.StartAsync(
            server,
            collection =>
            {
                collection.AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), _ledger.TearDown).ReleaseAfterHandler();
                collection.AddTracked<Beta>(_ledger);
                services?.Invoke(collection);
            },
            app,
            environment);

    /// <summary>A result that says what had happened when it was written.</summary>
    public sealed class Answer(Ledger ledger)
    {
        public string Events => string.Join(' ', ledger.Events);
    }

    public sealed class Repository(IRequestResource<Alpha> alpha)
    {
        public async Task UseAsync() => await alpha.GetAsync();
    }
}
