using System.Globalization;

namespace ResilientHosting.Aborts;

/// <summary>Answers requests that are not carried out, in the application's own problem format if it has one.</summary>
internal static class Refusal
{
    public static Task BodyTooLargeAsync(HttpContext context, long limit) => AnswerAsync(
        context,
        StatusCodes.Status413PayloadTooLarge,
        "The request body is too large to be secured.",
        $"This endpoint reads the whole body before it starts, up to {limit.ToString(CultureInfo.InvariantCulture)} bytes "
        + $"({nameof(ClientAbortOptions)}.{nameof(ClientAbortOptions.MaxSecuredBodySize)}). Send less, or raise the limit.");

    public static Task TooManyOrphansAsync(HttpContext context)
    {
        context.Response.Headers.RetryAfter = "1";
        return AnswerAsync(
            context,
            StatusCodes.Status503ServiceUnavailable,
            "Too many abandoned requests are still running.",
            "Requests that were stopped by their client have not ended yet. Wait for them before you send more.");
    }

    private static async Task AnswerAsync(HttpContext context, int status, string title, string detail)
    {
        context.Response.StatusCode = status;
        var problem = new ProblemDetailsContext
        {
            HttpContext = context,
            ProblemDetails = { Status = status, Title = title, Detail = detail },
        };
        var writer = context.RequestServices.GetService<IProblemDetailsService>();
        if (writer is null || !await writer.TryWriteAsync(problem).ConfigureAwait(false))
        {
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync($"{title} {detail}", context.RequestAborted).ConfigureAwait(false);
        }
    }
}
