using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Aborts;

internal static class AbortStatus
{
    /// <summary>499 is for a client that left before anything was sent. A client that is still waiting is told the truth.</summary>
    public static void Correct(IHttpResponseFeature? response, ClientAbort? abort, bool timedOut)
    {
        if (response is not { HasStarted: false })
        {
            return;
        }

        if (abort is { IsByClient: true })
        {
            response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        else if (timedOut && response.StatusCode == StatusCodes.Status499ClientClosedRequest)
        {
            // Exception handlers take any cancelled request for one whose client has left.
            response.StatusCode = StatusCodes.Status504GatewayTimeout;
        }
    }
}
