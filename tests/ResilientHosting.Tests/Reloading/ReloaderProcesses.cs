using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>
/// Tests against real processes. They share one built project and its sources, so they run one after another; the three collections have
/// a project each and run beside one another. This one is about edits and swaps.
/// </summary>
[CollectionDefinition(nameof(ReloaderProcesses))]
public sealed class ReloaderProcesses : ICollectionFixture<ReloadableProject>;

/// <summary>Real processes with a real browser before them.</summary>
[CollectionDefinition(nameof(BrowserProcesses))]
public sealed class BrowserProcesses : ICollectionFixture<ReloadableProject>;

/// <summary>Real processes from their start to their end: terminals, signals, memory, where the reloader is off.</summary>
[CollectionDefinition(nameof(LifetimeProcesses))]
public sealed class LifetimeProcesses : ICollectionFixture<ReloadableProject>;

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
