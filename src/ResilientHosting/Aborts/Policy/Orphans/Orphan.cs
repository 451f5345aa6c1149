namespace ResilientHosting.Aborts;

/// <summary>Work whose client has left: what an operator must know of it when it has to be named.</summary>
internal sealed class Orphan(
    string method, string? route, object? client, ClientAbortBehavior policy, DateTimeOffset since, WorkCancellation? work)
{
    public string Method => method;

    public string Route => route ?? AbortRecorder.NoRoute;

    /// <summary>Who the work was for, as far as the limits for each client are concerned; <see langword="null"/> if unknown.</summary>
    public object? Client => client;

    public ClientAbortBehavior Policy => policy;

    public DateTimeOffset Since => since;

    public WorkCancellation? Work => work;

    /// <summary>Where the registry keeps it. Guarded by the registry's lock.</summary>
    public LinkedListNode<Orphan>? Node { get; set; }

    /// <summary>Whether it was allowed to go on. Guarded by the registry's lock.</summary>
    public bool IsAdmitted { get; set; }

    /// <summary>Whether the instrument counts it: somebody who listens from now on must not see it end only.</summary>
    public bool IsCounted { get; set; }

    /// <summary>Whether the watchdog has seen it already. Guarded by the registry's lock.</summary>
    public bool IsReported { get; set; }
}
