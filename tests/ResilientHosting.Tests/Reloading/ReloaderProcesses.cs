using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Tests against real processes. They share one built project and its sources, so they run one after another.</summary>
[CollectionDefinition(nameof(ReloaderProcesses), DisableParallelization = true)]
public sealed class ReloaderProcesses : ICollectionFixture<ReloadableProject>;

/// <summary>
/// One process for many tests. A drain may take a minute here: a swap that waited for a request that never ends would run into the
/// time limit of its test.
/// </summary>
public sealed class SharedApp(ReloadableProject project) : IAsyncLifetime
{
    private ReloadableApp? _app;

    public ReloadableApp App => _app ?? throw new InvalidOperationException("Not started.");

    public async ValueTask InitializeAsync() => _app = await ReloadableApp.StartAsync(project, "--DevReloader:DrainTimeout=00:01:00");

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
    }
}
