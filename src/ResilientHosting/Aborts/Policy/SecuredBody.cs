using System.Buffers;

namespace ResilientHosting.Aborts;

/// <summary>
/// Reads the whole request body before a handler that is to complete starts, because a server drops the unread rest of a body the
/// moment its client leaves. The handler finds a rewindable copy in its place.
/// </summary>
internal static class SecuredBody
{
    private const int MemoryThreshold = 64 * 1024;

    /// <summary><see langword="false"/> if the body is larger than <paramref name="limit"/>.</summary>
    public static async ValueTask<bool> TryReadAsync(HttpRequest request, long limit, CancellationToken cancellationToken)
    {
        if (request.ContentLength > limit)
        {
            return false;
        }

        // Registered with the response by EnableBuffering, so the temporary file is gone when the request is.
        var server = request.Body;
        request.Body = RescuedBody.Over(request) ?? server;
        request.EnableBuffering(MemoryThreshold);
        var copy = request.Body;
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            long total = 0;
            int read;
            while ((read = await copy.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                total += read;
                if (total > limit)
                {
                    request.Body = server;
                    return false;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        copy.Position = 0;
        return true;
    }
}
