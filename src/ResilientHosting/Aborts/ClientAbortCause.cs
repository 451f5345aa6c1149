namespace ResilientHosting.Aborts;

/// <summary>Who or what ended a request early. ASP.NET Core reports each of these as "the client".</summary>
public enum ClientAbortCause
{
    /// <summary>The request has not been aborted, or nothing tells by whom.</summary>
    Unknown = 0,

    /// <summary>The client closed or reset its connection.</summary>
    Client,

    /// <summary>The client reset this stream of an HTTP/2 or HTTP/3 connection and kept the connection.</summary>
    ClientStreamReset,

    /// <summary>
    /// The server gave up on a client that sent its request body more slowly than the server's minimum rate. With the connection
    /// hook (<c>ListenOptions.UseClientAbortTolerance</c>) also on one that read its response too slowly, or, over HTTP/2, no
    /// longer answered. Without the hook such a client counts as <see cref="Client"/>.
    /// </summary>
    SlowClient,

    /// <summary>The application called <see cref="HttpContext.Abort"/>.</summary>
    Application,

    /// <summary>A request time-out expired. The client is still there and waits for an answer.</summary>
    RequestTimeout,

    /// <summary>
    /// The host was stopping when the request was aborted. With the connection hook a client that left by itself meanwhile counts
    /// as <see cref="Client"/>.
    /// </summary>
    HostShutdown,
}
