namespace ResilientHosting.Aborts;

/// <summary>Who ended a connection, as far as the connection hook saw it.</summary>
internal enum ConnectionEnd
{
    /// <summary>Nobody yet.</summary>
    Open = 0,

    /// <summary>The client closed its side or reset the connection.</summary>
    ByClient,

    /// <summary>The HTTP server decided to end it.</summary>
    ByServer,

    /// <summary>The application's own code ended it, or cancelled a write in progress, which ends it too.</summary>
    ByApplication,

    /// <summary>It was closed beneath the hook: by the host that ran out of time to stop, or after a write that failed.</summary>
    Unexplained,
}

/// <summary>What the connection hook tells the requests of its connection.</summary>
internal interface IConnectionEndFeature
{
    ConnectionEnd End { get; }
}
