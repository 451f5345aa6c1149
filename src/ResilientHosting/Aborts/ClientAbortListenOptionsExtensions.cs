using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResilientHosting.Aborts;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Adds client-abort tolerance to the connections of a Kestrel endpoint.</summary>
public static class ClientAbortListenOptionsExtensions
{
    /// <summary>
    /// Lets <see cref="IClientAbortFeature.Cause"/> tell who ended a connection: a client that read too slowly is
    /// <see cref="ClientAbortCause.SlowClient"/>, and a client that left while the host was stopping is
    /// <see cref="ClientAbortCause.Client"/>. Optional: <c>UseClientAbortTolerance</c> on the pipeline works without it. Place it
    /// after <c>UseHttps</c>. HTTP/1.1 and HTTP/2; connections over QUIC are not affected.
    /// </summary>
    /// <remarks>
    /// With <paramref name="answerHalfClosedClients"/> a client whose end has arrived is taken for a client that waits, because both
    /// look the same. A client that closed completely is then noticed only by a write that fails, up to half a second after it: until
    /// then its work goes on. A reset is noticed at once, as before. A request that is not complete is aborted as before,
    /// and so is HTTP/2, where a client never closes one direction alone. It needs a transport that exposes its socket, as
    /// Kestrel's default does.
    /// </remarks>
    /// <param name="listen">The endpoint.</param>
    /// <param name="answerHalfClosedClients">
    /// Whether an HTTP/1.1 client that has sent all its requests and closed its sending side (<c>shutdown(SHUT_WR)</c>; over TLS
    /// after <c>close_notify</c>) is still answered, instead of being taken for a client that has left.
    /// </param>
    /// <returns>The endpoint.</returns>
    public static ListenOptions UseClientAbortTolerance(this ListenOptions listen, bool answerHalfClosedClients = false)
    {
        ArgumentNullException.ThrowIfNull(listen);
        var services = listen.ApplicationServices;
        var clock = services.GetService<TimeProvider>() ?? TimeProvider.System;
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(IConnectionEndFeature).Namespace!);
        listen.Use(next => transport => ToleratedConnection.RunAsync(transport, next, answerHalfClosedClients, clock, logger));
        return listen;
    }
}
