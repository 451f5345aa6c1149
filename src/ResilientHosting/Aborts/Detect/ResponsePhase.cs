using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Aborts;

/// <summary>How far a response has come. It is asked from any thread, so it reads only what no longer changes once it has started.</summary>
internal static class ResponsePhase
{
    public static ClientAbortPhase Of(IHttpResponseFeature? response)
    {
        if (response is not { HasStarted: true })
        {
            return ClientAbortPhase.Compute;
        }

        if (response.StatusCode == StatusCodes.Status101SwitchingProtocols)
        {
            return ClientAbortPhase.WebSocket;
        }

        return IsOpenEnded(response.Headers.ContentType.ToString()) ? ClientAbortPhase.Streaming : ClientAbortPhase.ResponseBody;
    }

    public static bool IsOpenEnded(string? contentType) => contentType is not null
        && (contentType.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase)
            || contentType.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase));
}
