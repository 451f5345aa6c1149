using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Abstractions;

namespace ResilientHosting.Reloading;

/// <summary>
/// The two places where a host of any generation is joined to what outlives it: its listeners and its requests. Both are public
/// seams of ASP.NET Core, a connection listener factory and a decorated <see cref="IServer"/>.
/// </summary>
internal sealed class SwapSeams(TimeProvider clock)
{
    private static readonly TimeSpan ClosingLimit = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly List<(IServer Kestrel, ServerConnections Connections)> _retired = [];
    private bool _swapping;

    public TimeProvider Clock => clock;

    public RequestSwitch Requests { get; } = new(clock);

    public ListenerHandover Listeners { get; } = new();

    /// <summary>Gets or sets what the reloader answers itself; null until it has taken charge.</summary>
    public DevEndpoints? Endpoints { get; set; }

    /// <summary>Gets or sets what lets pages refresh themselves; null until the reloader has taken charge.</summary>
    public PageRefresh? Pages { get; set; }

    /// <summary>Gets what the reloader is doing.</summary>
    public ReloadStatus Status { get; } = new(clock);

    /// <summary>Gets the generations by the context of their assemblies, as long as these are loaded.</summary>
    public ConditionalWeakTable<AssemblyLoadContext, Generation> Generations { get; } = [];

    /// <summary>Gets or sets the reloader's claim on generations that end by themselves; without a reloader there is none.</summary>
    public Func<Generation, bool> JudgesEndOf { get; set; } = static _ => false;

    /// <summary>
    /// Joins a host to be built. A host with another server than Kestrel is left as it is, and so is every further host of a generation.
    /// May be called again when a server was registered after the last call.
    /// </summary>
    public void AddTo(IServiceCollection services, Generation generation)
    {
        var server = services.LastOrDefault(service => service.ServiceType == typeof(IServer) && !service.IsKeyedService);
        if (server?.ImplementationType is not { Namespace: "Microsoft.AspNetCore.Server.Kestrel.Core" } kestrel)
        {
            return;
        }

        var connections = new ServerConnections(generation);
        services.Remove(server);
        services.AddSingleton<IServer>(provider =>
        {
            var isReloaded = generation.Attach(provider);
            var ordinary = (IServer)ActivatorUtilities.CreateInstance(provider, kestrel);
            return isReloaded ? new SwitchedServer(ordinary, connections, this, generation) : ordinary;
        });

        // Kestrel takes the factory that was registered last.
        services.AddSingleton<IConnectionListenerFactory>(provider =>
        {
            var transport = new SocketTransportFactory(
                provider.GetRequiredService<IOptions<SocketTransportOptions>>(), NullLoggerFactory.Instance);
            return generation.Attach(provider) ? new HandedListenerFactory(Listeners, connections, transport) : transport;
        });

        // QUIC owns its sockets and can't hand them over. Clients that know HTTP/3 from elsewhere fall back to HTTP/2.
        services.RemoveAll<IMultiplexedConnectionListenerFactory>();
    }

    /// <summary>Tells whether the server of an application that stops has to go on; its requests wait then.</summary>
    public bool Outlives(Generation generation)
    {
        if (Requests.Application == generation.Application)
        {
            if (generation.Application is null || !generation.Started.IsCompleted || !JudgesEndOf(generation))
            {
                // This generation serves, and nobody is about to replace it: the process is ending.
                return false;
            }

            Requests.Hold(generation.Application);
        }

        return true;
    }

    /// <summary>From now on retired servers leave new connections to the next generation.</summary>
    public void BeginSwap()
    {
        lock (_lock)
        {
            _swapping = true;
        }
    }

    /// <summary>Keeps a server whose application is stopping, for its connections' sake.</summary>
    public void Retired(Generation generation, IServer kestrel, ServerConnections connections)
    {
        lock (_lock)
        {
            if (Requests.Application is { } serving && serving.Generation != generation)
            {
                // It was given up during its start, and somebody else serves by now.
                End(kestrel, connections);
                return;
            }

            _retired.Add((kestrel, connections));
            if (_swapping)
            {
                Listeners.Pause(connections);
            }
        }
    }

    /// <summary>A new generation has taken over: retired servers end, each when its last connection has closed.</summary>
    public void EndRetired()
    {
        lock (_lock)
        {
            _swapping = false;
            foreach (var (kestrel, connections) in _retired)
            {
                End(kestrel, connections);
            }

            _retired.Clear();
        }
    }

    /// <summary>No generation could take over: the last server that still can goes on accepting, so that somebody answers.</summary>
    public void ReviveLast()
    {
        lock (_lock)
        {
            _swapping = false;
            if (_retired.FindLast(server => server.Connections.IsAccepting) is { Connections: { } connections })
            {
                Listeners.Resume(connections);
            }
        }
    }

    /// <summary>The last generation has ended, and the process is about to: ports close, and retired servers finish what they have.</summary>
    public async Task CloseAsync()
    {
        Requests.Fail("The application has ended.");
        await Listeners.CloseAsync().ConfigureAwait(false);
        IServer[] retired;
        lock (_lock)
        {
            retired = [.. _retired.Select(server => server.Kestrel)];
        }

        using var limit = new CancellationTokenSource(ClosingLimit, clock);
        await Task.WhenAll(retired.Select(kestrel => kestrel.StopAsync(limit.Token))).ConfigureAwait(false);
    }

    private static void End(IServer kestrel, ServerConnections connections)
    {
        connections.End();
        _ = DisposeWhenIdleAsync(kestrel, connections);
    }

    private static async Task DisposeWhenIdleAsync(IServer kestrel, ServerConnections connections)
    {
        try
        {
            await connections.Idle.ConfigureAwait(false);
            await kestrel.StopAsync(default).ConfigureAwait(false);
            kestrel.Dispose();
        }
#pragma warning disable CA1031 // Whatever a leftover of an old generation does, it must not reach the process.
        catch (Exception e)
#pragma warning restore CA1031
        {
            ReloadConsole.Standard.Say("a retired server did not end cleanly: " + e.Message);
        }
        finally
        {
            connections.SetServerEnded();
        }
    }
}
