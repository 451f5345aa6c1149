using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Primitives;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <summary>Wherever an endpoint comes from, it has a second release point; and it keeps all else.</summary>
public sealed class HandlerReleaseEndpointTests : HandlerReleaseScenario
{
    [Theory]
    [InlineData("/nested/in/groups")]
    [InlineData("/nothing/matches/this")]
    [InlineData("/tagged")]
    public async Task Resource_IsTornDownAfterAllFilters_WhereverTheEndpointWasMapped(string path)
    {
        EndpointFilterDelegate Record(EndpointFilterDelegate next, string name) => async invocation =>
        {
            var result = await next(invocation);
            Ledger.Events.Enqueue(name);
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

    [Theory, MemberData(nameof(Servers))]
    public async Task StartupClassHost_IsTornDownBeforeTheResultIsWritten(Server server)
    {
        using var host = new HostBuilder()
            .ConfigureWebHost(web => (server == Server.Kestrel ? web.UseKestrel().UseUrls("http://127.0.0.1:0") : web.UseTestServer())
                .UseStartup(_ => new Startup(Ledger)))
            .Build();
        await host.StartAsync(Test);
        using var client = server == Server.Kestrel ? new HttpClient { BaseAddress = Address(host) } : host.GetTestClient();

        var answer = await client.GetFromJsonAsync<Dictionary<string, string>>("/startup", Test);
        var early = await client.GetFromJsonAsync<Dictionary<string, string>>("/branch/early", Test);

        Assert.Equal("+Alpha -Alpha", answer!["events"]);
        Assert.Equal("+Alpha -Alpha +Alpha -Alpha", early!["events"]);
        await host.StopAsync(Test);

        static Uri Address(IHost host) =>
            new(host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    [Fact]
    public async Task Endpoints_KeepWhatTheyHave_NamesDescriptionsAndLateRoutes()
    {
        await StartAsync(
            Server.Kestrel,
            app =>
            {
                app.UseRouting();
                app.MapGet("/things/{id}", (int id) => id).WithName("thing").WithTags("Things");
                app.MapGet("/link", (LinkGenerator links) => links.GetPathByName("thing", new RouteValueDictionary { ["id"] = 7 }));
                ((IEndpointRouteBuilder)app).DataSources.Add(new DefaultEndpointDataSource(new Endpoint(_ => Task.CompletedTask, EndpointMetadataCollection.Empty, "custom")));
            },
            services => services.AddEndpointsApiExplorer());
        var app = Host.Application;

        // Mapped while the host runs, before its first request: ASP.NET Core allows that.
        app.MapGet("/late", UseAlphaAsync);

        Assert.Equal("/things/7", await Host.Client.GetStringAsync("/link", Test));
        Assert.Equal("+Alpha -Alpha", await GetAsync("/late"));
        var described = app.Services.GetRequiredService<IApiDescriptionGroupCollectionProvider>().ApiDescriptionGroups.Items
            .SelectMany(group => group.Items);
        Assert.Equal(["things/{id}", "link", "late"], described.Select(item => item.RelativePath));
        Assert.Equal(2, ((IEndpointRouteBuilder)app).DataSources.Count);
    }

    [Fact]
    public async Task DataSource_WhoseEndpointsChange_IsFollowed()
    {
        var changing = new ChangingDataSource();
        await StartAsync(Server.Kestrel, app =>
        {
            ((IEndpointRouteBuilder)app).DataSources.Add(changing);
            app.MapGet("/", UseAlphaAsync);
        });
        await GetAsync("/");

        changing.Replace(new RouteEndpoint(
            context => context.Response.WriteAsync("new"), RoutePatternFactory.Parse("/new"), 0, EndpointMetadataCollection.Empty, "new"));

        Assert.Equal("new", await Host.Client.GetStringAsync("/new", Test));
        Assert.Equal("+Alpha -Alpha +Alpha -Alpha", await GetAsync("/"));
    }

    [Fact]
    public async Task NobodyReleasesAfterTheHandler_NoEndpointHasAFilter()
    {
        await using var host = await ResourceTestHost.StartAsync(
            Server.TestServer, services => services.AddTracked<Beta>(Ledger), app => app.MapGet("/", () => "plain"));

        Assert.DoesNotContain(host.Services.GetServices<IStartupFilter>(), filter => filter is HandlerReleaseStartupFilter);
    }

    private sealed class ChangingDataSource : EndpointDataSource, IDisposable
    {
        private CancellationTokenSource _changed = new();
        private Endpoint[] _endpoints = [];

        public override IReadOnlyList<Endpoint> Endpoints => _endpoints;

        public override IChangeToken GetChangeToken() => new CancellationChangeToken(_changed.Token);

        public void Replace(params Endpoint[] endpoints)
        {
            _endpoints = endpoints;
            using var previous = Interlocked.Exchange(ref _changed, new CancellationTokenSource());
            previous.Cancel();
        }

        public void Dispose() => _changed.Dispose();
    }

    private sealed class Startup(Ledger ledger)
    {
        public void ConfigureServices(IServiceCollection services)
        {
            services.AddRouting();
            services.AddRequestScopedResource<Alpha>((_, _) => new(ledger.Create<Alpha>()), ledger.TearDown).ReleaseAfterHandler();
        }

        public void Configure(IApplicationBuilder app)
        {
            // A branch has a routing of its own, which nothing outside it sees: its endpoints say themselves what they want.
            app.Map("/branch", branch => branch.UseRouting().UseEndpoints(routes =>
                routes.MapGet("/early", UseAsync).ReleaseResourcesAfterHandler()));
            app.UseRouting();
            app.UseEndpoints(routes => routes.MapGet("/startup", UseAsync));
        }

        private async Task<Answer> UseAsync(IRequestResource<Alpha> alpha, CancellationToken aborted)
        {
            await alpha.GetAsync(aborted);
            return new Answer(ledger);
        }
    }
}
