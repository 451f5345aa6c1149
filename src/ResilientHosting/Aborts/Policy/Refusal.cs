using System.Globalization;

namespace ResilientHosting.Aborts;

/// <summary>Answers requests that are not carried out, as problem details.</summary>
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

    public static Task AnswerAsync(HttpContext context, int status, string title, string detail) =>
        TypedResults.Problem(detail, statusCode: status, title: title).ExecuteAsync(context);
}
