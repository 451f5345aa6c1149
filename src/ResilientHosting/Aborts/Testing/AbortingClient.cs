namespace ResilientHosting.Aborts;

/// <summary>
/// For tests: a client that sends a request and leaves at a chosen phase. It never sleeps; it leaves as soon as the server has come
/// that far, which it sees for itself or is told.
/// </summary>
/// <remarks>
/// Each request has a connection of its own, and nothing is kept between two requests. Only what the caller does makes it open a
/// connection: it is not part of a running server.
/// </remarks>
public sealed class AbortingClient
{
    private readonly Func<HttpRequestMessage, ClientAbortPhase, Task?, CancellationToken, Task> _send;

    /// <summary>A client of a real server, on a socket of its own: HTTP/1.1 without TLS.</summary>
    /// <param name="address">The server. Only scheme (<c>http</c>), host and port count.</param>
    /// <exception cref="ArgumentException"><paramref name="address"/> is not an absolute <c>http</c> address.</exception>
    public AbortingClient(Uri address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsAbsoluteUri || address.Scheme != Uri.UriSchemeHttp)
        {
            throw new ArgumentException(
                $"The address must be absolute and begin with http://, but is {address}. For TLS and HTTP/2 give an HttpClient instead.",
                nameof(address));
        }

        _send = (request, phase, when, cancellationToken) =>
            SocketExchange.RunAsync(address, WithReset, request, phase, when, cancellationToken);
    }

    /// <summary>
    /// A client of whatever an <see cref="HttpClient"/> talks to: the test server of a <c>WebApplicationFactory</c>, or a server with
    /// TLS or HTTP/2. It leaves by cancelling, which resets the stream or closes the connection.
    /// </summary>
    /// <param name="client">The client. The caller keeps it and disposes of it.</param>
    public AbortingClient(HttpClient client)
    {
        ArgumentNullException.ThrowIfNull(client);
        _send = (request, phase, when, cancellationToken) =>
            ClientExchange.RunAsync(client, request, phase, when, cancellationToken);
    }

    /// <summary>Whether it leaves with a reset (RST) instead of an orderly close (FIN). It means nothing over an <see cref="HttpClient"/>.</summary>
    /// <value><see langword="false"/> by default.</value>
    public bool WithReset { get; init; }

    /// <summary>Sends a request, and leaves at a phase of it.</summary>
    /// <param name="request">The request. Its content is buffered; the caller disposes of it.</param>
    /// <param name="phase">
    /// When to leave. <see cref="ClientAbortPhase.RequestBody"/>: after the head and half of the body.
    /// <see cref="ClientAbortPhase.Queued"/> and <see cref="ClientAbortPhase.Compute"/>: after everything has been sent, and not before
    /// <paramref name="when"/>. <see cref="ClientAbortPhase.ResponseBody"/> and <see cref="ClientAbortPhase.Streaming"/>: after the
    /// first byte of the response body. <see cref="ClientAbortPhase.Delivered"/>: after its last byte, which is no abort.
    /// </param>
    /// <param name="when">
    /// What to wait for before leaving, besides the phase: typically "my handler has started". Necessary where the client cannot see
    /// how far the server is: for <see cref="ClientAbortPhase.Queued"/> and <see cref="ClientAbortPhase.Compute"/>, and over an
    /// <see cref="HttpClient"/> for <see cref="ClientAbortPhase.RequestBody"/>. On a socket the client asks the server to say when it
    /// begins to read (<c>Expect: 100-continue</c>).
    /// </param>
    /// <param name="cancellationToken">Bounds every wait. Whatever fires it, the client leaves.</param>
    /// <returns>A task that completes when the client has left. The server may notice later.</returns>
    /// <exception cref="ArgumentException">The phase needs <paramref name="when"/>, or a request with a body.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// It is <see cref="ClientAbortPhase.WebSocket"/> (use <c>ClientWebSocket.Abort</c>) or no phase at all.
    /// </exception>
    /// <exception cref="InvalidOperationException">The server had answered before the phase could be reached.</exception>
    public Task SendAsync(
        HttpRequestMessage request, ClientAbortPhase phase, Task? when = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        switch (phase)
        {
            case ClientAbortPhase.Queued or ClientAbortPhase.Compute when when is null:
                throw new ArgumentException(
                    $"A client cannot see when a request is in the phase {phase}. Pass a task that your server side completes there.",
                    nameof(when));
            case ClientAbortPhase.RequestBody when request.Content is null:
                throw new ArgumentException("Only a request with content can be left in the middle of its body.", nameof(request));
            case ClientAbortPhase.WebSocket or < ClientAbortPhase.Queued or > ClientAbortPhase.Delivered:
                throw new ArgumentOutOfRangeException(
                    nameof(phase), phase, "This client speaks plain HTTP. To leave a WebSocket, call Abort on a ClientWebSocket.");
        }

        return _send(request, phase, when, cancellationToken);
    }

    internal static InvalidOperationException TooEarly(string answer, ClientAbortPhase phase) => new(
        $"The server had answered ({answer}) before the client could leave in the phase {phase}. Let the handler wait until its "
        + "client has left, and let it read the body in full.");
}
