namespace ResilientHosting.Aborts;

internal static class RequestVersion
{
    /// <summary>Whether the request has its connection to itself, as in HTTP/1.0 and 1.1, and does not share it with others.</summary>
    public static bool HasOwnConnection(this HttpRequest request) =>
        HttpProtocol.IsHttp11(request.Protocol) || HttpProtocol.IsHttp10(request.Protocol);
}
