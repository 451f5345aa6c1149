namespace ResilientHosting.Aborts;

/// <summary>How far a request had come.</summary>
public enum ClientAbortPhase
{
    /// <summary>The request had not reached its handler.</summary>
    Queued = 0,

    /// <summary>The request body was being read: a read was pending, or its end had not been read yet and nothing was sent.</summary>
    RequestBody,

    /// <summary>The handler was at work; nothing of the response had been sent.</summary>
    Compute,

    /// <summary>The response was being sent.</summary>
    ResponseBody,

    /// <summary>An open-ended response (server-sent events, gRPC) was being sent.</summary>
    Streaming,

    /// <summary>The connection had been upgraded to a WebSocket.</summary>
    WebSocket,

    /// <summary>The handler had finished and handed its whole response to the server.</summary>
    Delivered,
}
