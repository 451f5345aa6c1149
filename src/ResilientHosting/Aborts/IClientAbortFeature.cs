namespace ResilientHosting.Aborts;

/// <summary>
/// What is known about the end of the current request, from <see cref="HttpContext.Features"/>. It is present on every request
/// that passes through <c>UseClientAbortTolerance</c>, and still tells the truth after the handler has ended: teardown code may
/// read it.
/// </summary>
public interface IClientAbortFeature
{
    /// <summary>Whether the request has been aborted, by whomever (see <see cref="Cause"/>).</summary>
    bool IsAborted { get; }

    /// <summary>
    /// Whether the abort reached the work: whether <see cref="HttpContext.RequestAborted"/> fired before the handler had ended.
    /// </summary>
    /// <value>
    /// The same as <see cref="IsAborted"/> where the policy is to cancel. Under a completing policy <see langword="false"/> while the
    /// work goes on without its client, and for ever if it ends by itself.
    /// </value>
    bool IsWorkCancelled { get; }

    /// <summary>Who aborted the request.</summary>
    /// <value><see cref="ClientAbortCause.Unknown"/> while the request has not been aborted.</value>
    ClientAbortCause Cause { get; }

    /// <summary>The phase in which the request was aborted; the phase it is in while it has not been aborted.</summary>
    ClientAbortPhase Phase { get; }

    /// <summary>When the abort was noticed.</summary>
    /// <value>UTC; <see langword="null"/> while the request has not been aborted.</value>
    DateTimeOffset? AbortedAt { get; }

    /// <summary>
    /// Fires as soon as the request is aborted, whatever the endpoint's policy. <see cref="HttpContext.RequestAborted"/> is the
    /// token for the work itself: under a completing policy it fires later or never. This token belongs to one request, and
    /// never fires after that request has ended.
    /// </summary>
    CancellationToken ClientAborted { get; }

    /// <summary>
    /// Keeps <see cref="HttpContext.RequestAborted"/> from firing until the returned object is disposed of: for the few statements
    /// that must not be cancelled half-way, such as a commit. An abort meanwhile is delivered right after.
    /// </summary>
    /// <param name="cap">The longest time it may be kept from firing: above zero, at most one day.</param>
    /// <returns>Dispose of it where the work may be cancelled again. Several may be open; the last one to be disposed of counts.</returns>
    /// <remarks>
    /// It holds back whatever would fire that token, a request time-out outside this middleware and the host's shutdown too. It
    /// cannot undo a token that has fired before, nor hold back one that another middleware has put in its place.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="cap"/> is outside its range.</exception>
    IDisposable DeferCancellation(TimeSpan cap);
}
