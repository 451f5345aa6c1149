namespace ResilientHosting.Aborts;

/// <summary>Writes down what became of a request that was sent again: one count and one Debug line.</summary>
internal sealed class ResendRecorder(ILogger logger, ResendMetrics metrics)
{
    public void Record(HttpContext context, Turn turn)
    {
        var outcome = turn switch
        {
            { Kind: TurnKind.Mismatched } => "mismatched",
            { Kind: TurnKind.Superseded } => "superseded",
            { IsToRun: true } => "took_over",
            _ when ReferenceEquals(turn.Answer, CapturedResponse.NotKept) => "too_large",
            { Kind: TurnKind.Adopt } => "adopted",
            _ => "replayed",
        };
        var route = RouteOf(context);
        metrics.Resent(outcome, route);
        ResendLog.Resent(logger, context.Request.Method, route ?? AbortRecorder.NoRoute, outcome);
    }

    public void RecordWait(HttpContext context) => ResendLog.Waits(logger, context.Request.Method, RouteOf(context) ?? AbortRecorder.NoRoute);

    public void RecordInvalidKey(HttpContext context, string header, string problem) =>
        ResendLog.KeyInvalid(logger, context.Request.Method, RouteOf(context) ?? AbortRecorder.NoRoute, header, problem);

    public void RecordUnknownUser(HttpContext context) =>
        ResendLog.UserUnknown(logger, context.Request.Method, RouteOf(context) ?? AbortRecorder.NoRoute);

    private static string? RouteOf(HttpContext context) => AbortRecorder.RouteOf(context.GetEndpoint());
}
