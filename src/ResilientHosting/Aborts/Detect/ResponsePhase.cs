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

        var contentType = response.Headers.ContentType.ToString();
        return contentType.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase)
            || contentType.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
            ? ClientAbortPhase.Streaming
            : ClientAbortPhase.ResponseBody;
    }
}
