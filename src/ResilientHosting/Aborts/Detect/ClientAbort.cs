namespace ResilientHosting.Aborts;

/// <summary>An abort as it was found: the value the stages hand on.</summary>
internal sealed record ClientAbort(ClientAbortCause Cause, ClientAbortPhase Phase, DateTimeOffset At)
{
    public bool IsByClient => Cause is ClientAbortCause.Client or ClientAbortCause.ClientStreamReset or ClientAbortCause.SlowClient;
}
