using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Aborts;

internal static class BodyFingerprint
{
    /// <summary>Hashes the request's body, and leaves the body at its beginning.</summary>
    public static async ValueTask<string> ComputeAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
        {
            return Convert.ToHexStringLower(SHA256.HashData([]));
        }

        // Secured bodies can be rewound; one that a middleware unpacks on the fly has to be kept once more.
        request.EnableBuffering();
        request.Body.Position = 0;
        var hash = await SHA256.HashDataAsync(request.Body, cancellationToken).ConfigureAwait(false);
        request.Body.Position = 0;
        return Convert.ToHexStringLower(hash);
    }
}
