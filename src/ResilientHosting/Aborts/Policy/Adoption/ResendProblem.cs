namespace ResilientHosting.Aborts;

/// <summary>What is told to requests that get neither the work nor its result, as problem details.</summary>
internal static class ResendProblem
{
    public static Task InvalidKeyAsync(HttpContext context, string header, string problem) => Refusal.AnswerAsync(
        context,
        StatusCodes.Status400BadRequest,
        "The idempotency key is malformed.",
        $"The header {header} is no usable key, because {problem}. Send it once, with 1 to 255 printable ASCII characters, as a bare "
        + "token or in quotation marks.");

    public static Task MismatchedAsync(HttpContext context) => Refusal.AnswerAsync(
        context,
        StatusCodes.Status422UnprocessableEntity,
        "The idempotency key belongs to another request.",
        "A request with the same key but another body is running or has a result that was not received yet. Send a new request with a "
        + "new key, and the same request again with exactly the same body.");

    public static Task SupersededAsync(HttpContext context) => Refusal.AnswerAsync(
        context,
        StatusCodes.Status409Conflict,
        "A later request with the same key took this one's place.",
        "The work runs, or has run, once; its result goes to the latest request with its key.");

    public static Task NotKeptAsync(HttpContext context) => Refusal.AnswerAsync(
        context,
        StatusCodes.Status409Conflict,
        "The work was done, but its answer could not be kept.",
        "An earlier request with the same key ran to its end. Its answer was larger than what is kept, was streamed, or set a cookie, "
        + "so it cannot be given again. Ask for the outcome in another way; a request with a new key does the work again.");

    public static Task HostStopsAsync(HttpContext context)
    {
        context.Response.Headers.RetryAfter = "1";
        return Refusal.AnswerAsync(
            context,
            StatusCodes.Status503ServiceUnavailable,
            "The server is stopping.",
            "The earlier request with the same key was cut short. Send this one again.");
    }
}
