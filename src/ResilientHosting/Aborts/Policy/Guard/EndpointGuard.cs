namespace ResilientHosting.Aborts;

/// <summary>
/// Puts a <see cref="GuardedHandler"/> in the place of an endpoint's handler. Only there is it known that a cache is about to take
/// the response, and that this request produces it instead of waiting for another that does.
/// </summary>
internal sealed class EndpointGuard
{
    private readonly EndpointReplacement _guarded = new((endpoint, _) => new GuardedHandler(endpoint).InvokeAsync);

    public void Apply(HttpContext context, Endpoint? endpoint)
    {
        if (endpoint is not null)
        {
            context.SetEndpoint(_guarded.Of(endpoint));
        }
    }

    /// <summary>Restores the endpoint, unless somebody has replaced it meanwhile (for an error page, say).</summary>
    public static void Remove(HttpContext context)
    {
        if (context.GetEndpoint()?.RequestDelegate?.Target is GuardedHandler guarded)
        {
            context.SetEndpoint(guarded.Endpoint);
        }
    }
}
