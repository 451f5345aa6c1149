namespace ResilientHosting.Tests.Aborts;

/// <summary>A way in which an abort surfaces: what the client sends before it leaves, and what the access line says afterwards.</summary>
/// <param name="Path">The endpoint, see <see cref="AbortEndpoints"/>.</param>
/// <param name="ContentType"><see langword="null"/> for a GET.</param>
/// <param name="BodySoFar">The part of the body that is sent.</param>
/// <param name="Status">The expected status: 499, or the one that had been sent already or that a deaf handler chose.</param>
/// <param name="ReadFirst">Text to wait for in the answer before leaving.</param>
public sealed record AbortPath(
    string Path, string? ContentType, string BodySoFar, int Status = 499, string? ReadFirst = null)
{
    private const string Upload = "--b\r\nContent-Disposition: form-data; name=file; filename=f\r\n\r\nha";

    // More than any part that is sent, so that every body is cut.
    private const int Announced = 1000;

    /// <summary>The paths that applications meet every day.</summary>
    public static readonly AbortPath[] Common =
    [
        new("/raw", "text/plain", "half"),
        new("/json", "application/json", "{\"text\":\"ha"),
        new("/mvc", "application/json", "{\"text\":\"ha"),
        new("/form", "application/x-www-form-urlencoded", "text=ha"),
        new("/compute", null, ""),
        new("/provider", null, ""),
        new("/aggregate", null, ""),
        new("/stream", null, "", Status: 200, ReadFirst: "data: first"),
    ];

    public static readonly AbortPath[] Rare =
    [
        new("/pipe", "text/plain", "half"),
        new("/file", "multipart/form-data; boundary=b", Upload),
        new("/mvc-file", "multipart/form-data; boundary=b", Upload),
        new("/wrapped", "text/plain", "half"),
        new("/ignore", null, "", Status: 200),
    ];

    /// <summary>Sends as much of the request as is to be sent, for a client to leave in the middle.</summary>
    public Task SendAsync(Infrastructure.LeavingClient client, string id) => ContentType is null
        ? client.SendGetAsync($"{Path}?id={id}")
        : client.SendPostAsync($"{Path}?id={id}", Announced, BodySoFar, ContentType);
}
