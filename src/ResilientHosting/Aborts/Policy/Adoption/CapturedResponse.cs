using System.Collections.Frozen;
using Microsoft.Extensions.Primitives;

namespace ResilientHosting.Aborts;

/// <summary>
/// What a handler answered: its status, the headers it set itself, and its body. What the middleware around it adds is added again
/// to whoever receives it. Immutable.
/// </summary>
internal sealed record CapturedResponse(
    int StatusCode, IReadOnlyList<KeyValuePair<string, StringValues>> Headers, ReadOnlyMemory<byte> Body)
{
    // Roughly what an entry costs beside its text.
    private const int Overhead = 512;

    // They belong to one connection, or to the moment.
    private static readonly FrozenSet<string> NotKeptHeaders = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "Connection", "Date", "Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "Server", "TE", "Trailer", "Transfer-Encoding",
        "Upgrade");

    /// <summary>Stands for an answer that was given, but could not be kept.</summary>
    public static CapturedResponse NotKept { get; } = new(StatusCodes.Status409Conflict, [], default);

    public long Size => Overhead + Body.Length
        + Headers.Sum(header => 2L * (header.Key.Length + header.Value.Sum(value => value?.Length ?? 0)));

    public static bool IsKeptHeader(string name) => !NotKeptHeaders.Contains(name);

    public async Task WriteAsync(HttpContext context)
    {
        var response = context.Response;
        response.StatusCode = StatusCode;
        foreach (var (name, value) in Headers)
        {
            response.Headers[name] = value;
        }

        if (Body.Length > 0)
        {
            response.ContentLength ??= Body.Length;
            await response.Body.WriteAsync(Body, context.RequestAborted).ConfigureAwait(false);
        }
    }
}
