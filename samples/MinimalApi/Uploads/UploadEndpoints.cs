using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using MinimalApi.Activity;
using MinimalApi.Infrastructure;
using ResilientHosting.Resources;

namespace MinimalApi.Uploads;

internal static partial class UploadEndpoints
{
    private const long MaxBytes = 256 * 1024 * 1024;

    public static void MapUploads(this IEndpointRouteBuilder app)
    {
        var uploads = app.MapGroup("/uploads").WithTags("Uploads");
        uploads.MapGet("/", (UploadFolder folder) => folder.List());
        uploads.MapPut("/{name}", ReceiveAsync).WithMetadata(new RequestSizeLimitAttribute(MaxBytes));
    }

    private static async Task<Results<Ok<StoredFile>, ValidationProblem>> ReceiveAsync(
        string name,
        Stream body,
        IRequestResource<IncomingFile> incoming,
        IOptions<PaceOptions> pace,
        TimeProvider clock,
        ActivityLog activity,
        CancellationToken cancellationToken)
    {
        if (!FileName().IsMatch(name))
        {
            return TypedResults.ValidationProblem(new Dictionary<string, string[]>
            {
                ["name"] = [$"Use 1 to 80 letters, digits, '-', '_' or '.', beginning with a letter or digit; '{name}' is none."],
            });
        }

        activity.Add("upload", "receiving", name);
        var file = await incoming.GetAsync(cancellationToken);
        await CopyAsync(body, file, pace.Value.UploadBytesPerSecond, clock, cancellationToken);
        file.CompleteAs(name);
        return TypedResults.Ok(new StoredFile(name, file.Length, clock.GetUtcNow()));
    }

    /// <summary>Reads no faster than the pace allows: over loopback a progress bar would otherwise have nothing to show.</summary>
    private static async Task CopyAsync(
        Stream body, IncomingFile file, long bytesPerSecond, TimeProvider clock, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        var buffer = new byte[64 * 1024];
        while (await body.ReadAsync(buffer, cancellationToken) is var read and > 0)
        {
            await file.AppendAsync(buffer.AsMemory(0, read), cancellationToken);

            var ahead = TimeSpan.FromSeconds((double)file.Length / bytesPerSecond) - clock.GetElapsedTime(started);
            if (ahead > TimeSpan.Zero)
            {
                await Task.Delay(ahead, clock, cancellationToken);
            }
        }
    }

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}\z")]
    private static partial Regex FileName();
}
