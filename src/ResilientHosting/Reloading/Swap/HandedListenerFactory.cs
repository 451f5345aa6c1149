using System.Net;
using Microsoft.AspNetCore.Connections;

namespace ResilientHosting.Reloading;

/// <summary>Where a generation's Kestrel asks for its listeners. The sockets themselves are opened by the real transport, once.</summary>
internal sealed class HandedListenerFactory(ListenerHandover handover, ServerConnections server, IConnectionListenerFactory transport)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        handover.BindAsync(endpoint, server, transport, cancellationToken);

    public bool CanBind(EndPoint endpoint) => transport is IConnectionListenerFactorySelector selector && selector.CanBind(endpoint);
}
