using System.Runtime.Loader;
using Microsoft.AspNetCore.Builder;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>The reloader's own answers from a real server, about a reloader that a test makes up.</summary>
internal sealed class ServedEndpoints : IAsyncDisposable
{
    private readonly CancellationTokenSource _end;
    private readonly KestrelTestHost _host;

    private ServedEndpoints(KestrelTestHost host, CancellationTokenSource end) => (_host, _end) = (host, end);

    public static LiveData NothingLive { get; } = new("Shop", true, default, [], [], [], new AbortCounts(new Dictionary<string, long>(), []));

    /// <summary>A failure in which everything is called the same.</summary>
    public static ReloadFailure FailureCalled(string name) => SomeFailure.Of(name, [new BuildDiagnostic(name, true, "/shop/" + name, 1, 2, name)]);

    public Uri Address => _host.Address;

    public HttpClient Client => _host.Client;

    public static async Task<ServedEndpoints> StartAsync(ReloadStatus status, FakeReloader reloader, Func<LiveData> observe)
    {
        var end = new CancellationTokenSource();
        var endpoints = new DevEndpoints(status, reloader, observe, () => new DevReloaderOptions(), TimeProvider.System, end.Token);
        var generation = new Generation(0, AssemblyLoadContext.Default);
        return new ServedEndpoints(await KestrelTestHost.StartAsync(app => app.Run(context => endpoints.HandleAsync(context, generation))), end);
    }

    public async ValueTask DisposeAsync()
    {
        // The streams of events end; a browser that is still there would keep the server from stopping.
        await _end.CancelAsync();
        await _host.DisposeAsync();
        _end.Dispose();
    }
}
