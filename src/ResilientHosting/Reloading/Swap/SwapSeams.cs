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
    private readonly Lock _lock = new();
    private readonly List<(IServer Kestrel, ServerConnections Connections)> _retired = [];

    private ServerConnections? _joined;

    public TimeProvider Clock => clock;

    public RequestSwitch Requests { get; } = new(clock);

    public ListenerHandover Listeners { get; } = new();

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

        var connections = _joined = new ServerConnections();
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

    /// <summary>Keeps the ports open that an ordinary server is about to close, if it has got its listeners from here.</summary>
    /// <returns>Whether it has. It closes its connections nevertheless, those that are idle at once.</returns>
    public bool KeepPorts()
    {
        if (_joined is null)
        {
            return false;
        }

        _joined.Retire();
        Listeners.Pause(_joined);
        return true;
    }

    /// <summary>Keeps a server whose application is stopping, for its connections' sake.</summary>
    public void Retired(IServer kestrel, ServerConnections connections)
    {
        lock (_lock)
        {
            _retired.Add((kestrel, connections));
        }
    }

    /// <summary>A new generation has taken over: retired servers end, each when its last connection has closed.</summary>
    public void EndRetired(Action<Exception> onFailure)
    {
        lock (_lock)
        {
            foreach (var (kestrel, connections) in _retired)
            {
                connections.End();
                _ = DisposeWhenIdleAsync(kestrel, connections, onFailure);
            }

            _retired.Clear();
        }
    }

    /// <summary>No generation could take over: the server that was retired last goes on accepting, so that somebody answers.</summary>
    public void ReviveLast()
    {
        lock (_lock)
        {
            if (_retired.Count > 0)
            {
                Listeners.Resume(_retired[^1].Connections);
            }
        }
    }

    private static async Task DisposeWhenIdleAsync(IServer kestrel, ServerConnections connections, Action<Exception> onFailure)
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
            onFailure(e);
        }
    }
}
