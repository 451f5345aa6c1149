namespace ResilientHosting.Aborts;

/// <summary>
/// A request that its client stops and sends again, with the same idempotency key, receives the result of the work that is already
/// running, instead of running it twice. The key comes from the header that <see cref="AdoptionOptions.HeaderName"/> names; a
/// request without it runs as ever.
/// </summary>
/// <remarks>
/// The work outlives its client: an endpoint that names no policy of its own runs to completion where the default is to cancel.
/// Together with <see cref="ClientAbortBehavior.Cancel"/> of its own the attribute is a mistake, and each request says so.
/// </remarks>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class AdoptOnResendAttribute : Attribute
{
    /// <summary>Creates the attribute.</summary>
    public AdoptOnResendAttribute()
    {
    }

    internal AdoptOnResendAttribute(Func<HttpContext, string?>? key) => Key = key;

    internal Func<HttpContext, string?>? Key { get; }
}
