using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace ResilientHosting.Tests.Aborts;

public sealed record Note(string Text);

/// <summary>One endpoint for each way in which an abort surfaces. They know nothing of any tolerance.</summary>
public static class AbortEndpoints
{
    public static void MapAbortEndpoints(this WebApplication app)
    {
        app.MapGet("/health", () => "healthy");
        app.MapPost("/raw", async (HttpContext context) =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            return "read";
        });
        app.MapPost("/pipe", async (HttpContext context) =>
        {
            while (true)
            {
                var result = await context.Request.BodyReader.ReadAsync(context.RequestAborted);
                context.Request.BodyReader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    return "read";
                }
            }
        });
        app.MapPost("/json", (Note note) => note.Text);
        app.MapPost("/form", async (HttpContext context) => (await context.Request.ReadFormAsync()).Count);
        app.MapPost("/file", (IFormFile file) => file.Length).DisableAntiforgery();
        app.MapPost("/wrapped", async (HttpContext context) =>
        {
            try
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
            }
            catch (IOException exception)
            {
                throw new InvalidDataException("The upload is incomplete.", exception);
            }
        });
        app.MapControllers();
        app.MapGet("/compute", (CancellationToken aborted) => UntilAsync(aborted));
        app.MapGet("/ignore", async (HttpContext context, CancellationToken aborted) =>
        {
            await SignalledAsync(aborted);
            await context.Response.WriteAsync("nobody reads this", CancellationToken.None);
        });
        app.MapGet("/provider", async (CancellationToken aborted) =>
        {
            await SignalledAsync(aborted);
            throw new CancelledQueryException();
        });
        app.MapGet("/aggregate", async (CancellationToken aborted) =>
        {
            await SignalledAsync(aborted);
            throw new AggregateException(new OperationCanceledException(aborted), new CancelledQueryException());
        });
        app.MapGet("/stream", async (HttpContext context, CancellationToken aborted) =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync("data: first\n\n", aborted);
            await UntilAsync(aborted);
        });
    }

    public static Task UntilAsync(CancellationToken token) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);

    /// <summary>Waits for a token to fire without an exception.</summary>
    public static async Task SignalledAsync(CancellationToken token) =>
        await UntilAsync(token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}

/// <summary>What a PostgreSQL driver throws for a query that the server cancelled.</summary>
public sealed class CancelledQueryException() : DbException("canceling statement due to user request")
{
    public override string SqlState => "57014";
}

[ApiController]
[SuppressMessage("Performance", "CA1822", Justification = "Actions are instance methods.")]
public sealed class NotesController : ControllerBase
{
    [HttpPost("/mvc")]
    public string Post([FromBody] Note note) => note.Text;

    [HttpPost("/mvc-file")]
    public long PostFile(IFormFile file) => file.Length;
}
