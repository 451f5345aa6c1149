namespace ResilientHosting.Resources;

/// <summary>How a scope ended.</summary>
public enum ScopeOutcomeKind
{
    /// <summary>
    /// No exception, and no abort that reached the work: what a completing policy lets finish without its client has succeeded too.
    /// The status code may still say 404 or 500.
    /// </summary>
    Succeeded,

    /// <summary>An exception became a response, for example through <c>UseExceptionHandler</c>.</summary>
    ExceptionHandled,

    /// <summary>An exception left the pipeline or the scope's body.</summary>
    Faulted,

    /// <summary>
    /// The work was cancelled: the client went away (under a completing policy: and its time was over), the application aborted the
    /// request, a request time-out was answered with an error, or the caller's token was cancelled.
    /// </summary>
    Aborted,

    /// <summary>The work was cut off because the host is stopping.</summary>
    HostStopping,

    /// <summary>Nobody said that the work succeeded, or nobody wanted the resource any more when it was ready.</summary>
    Abandoned,
}

/// <summary>How a scope ended, as its resources' teardowns see it.</summary>
/// <param name="Kind">How the scope ended.</param>
/// <param name="Exception">
/// The exception that ended the scope: the very object that was thrown. May be present for <see cref="ScopeOutcomeKind.Aborted"/>
/// and <see cref="ScopeOutcomeKind.HostStopping"/> too; <see langword="null"/> if there was none.
/// </param>
/// <param name="StatusCode">The status of the response, as sent or about to be sent; <see langword="null"/> outside a request.</param>
/// <param name="ResponseStarted">Whether the response had started when the pipeline ended.</param>
public sealed record ScopeOutcome(
    ScopeOutcomeKind Kind, Exception? Exception = null, int? StatusCode = null, bool ResponseStarted = false)
{
    private static readonly ScopeOutcome Ok = new(ScopeOutcomeKind.Succeeded, StatusCode: 200);
    private static readonly ScopeOutcome OkStarted = new(ScopeOutcomeKind.Succeeded, StatusCode: 200, ResponseStarted: true);

    /// <summary>One object for what nearly all requests come to.</summary>
    internal static ScopeOutcome Of(ScopeOutcomeKind kind, Exception? exception, int statusCode, bool responseStarted) =>
        kind == ScopeOutcomeKind.Succeeded && exception is null && statusCode == 200 ? responseStarted ? OkStarted : Ok
        : new ScopeOutcome(kind, exception, statusCode, responseStarted);

    /// <summary>Whether a unit of work should be committed: the scope succeeded and the status is below 500.</summary>
    public bool ShouldCommit => Kind == ScopeOutcomeKind.Succeeded && StatusCode is null or < 500;
}
