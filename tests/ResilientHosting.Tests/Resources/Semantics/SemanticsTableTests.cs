using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Sample;
using Barrier = ResilientHosting.Tests.Aborts.Barrier;

namespace ResilientHosting.Tests.Resources;

/// <summary>
/// The semantics of resources as a table: one test per question, named after it, on both servers. Each is the shortest program that shows
/// the answer; the corner cases of a row are with the part they belong to.
/// </summary>
public sealed partial class SemanticsTableTests : IAsyncDisposable
{
    private static readonly InvalidOperationException Thrown = new("thrown by the handler");

    private readonly Ledger _ledger = new();
    private readonly SignallingClock _clock = new();
    private readonly Barrier _entered = new();
    private readonly Barrier _release = new();
    private ResourceTestHost? _host;

    public static TheoryData<Server> Servers => [Server.Kestrel, Server.TestServer];

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _release.Open();
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        // Only a stopped host has had the time for a second teardown.
        _ledger.AssertBalanced();
    }

    private async Task<ResourceTestHost> StartAsync(Server server, Action<IServiceCollection> services, Action<WebApplication> app) =>
        _host = await ResourceTestHost.StartAsync(
            server,
            collection =>
            {
                collection.AddSingleton<TimeProvider>(_clock);
                services(collection);
            },
            app);

    /// <summary>The exception of the request if the server shows it to its client: TestServer throws it, Kestrel answers 500.</summary>
    private async Task<Exception?> SendAsync(string path = "/") => await Record.ExceptionAsync(() => _host!.Client.GetStringAsync(path, Test));

    private static async Task<IRequestResource<T>> UseAsync<T>(IRequestResource<T> resource)
        where T : class
    {
        await resource.GetAsync(CancellationToken.None);
        return resource;
    }

    private string[] Teardowns() => [.. _ledger.Events.Where(entry => entry[0] == '-')];
}
