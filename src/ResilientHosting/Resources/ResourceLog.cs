namespace ResilientHosting.Resources;

/// <summary>The log lines of this feature. Event names are API.</summary>
internal static partial class ResourceLog
{
    public static void TeardownFailed(
        ILogger logger, string scope, int total, IReadOnlyCollection<(string Resource, Exception Exception)> failures)
    {
        var resources = string.Join(", ", failures.Select(failure => failure.Resource));
        var exception = failures.Count == 1
            ? failures.First().Exception
            : new AggregateException(failures.Select(failure => failure.Exception));
        TeardownFailed(logger, failures.Count, total, scope, resources, exception);
    }

    [LoggerMessage(EventId = EventIds.Resources, Level = LogLevel.Error, EventName = nameof(TeardownFailed),
        Message = "{Failed} of {Total} resources of scope '{Scope}' could not be torn down: {Resources}.")]
    private static partial void TeardownFailed(
        ILogger logger, int failed, int total, string scope, string resources, Exception exception);

    [LoggerMessage(EventId = EventIds.Resources + 1, Level = LogLevel.Debug, EventName = nameof(CreationFailed),
        Message = "Resource {Resource} could not be created in scope '{Scope}'. Its callers got the exception.")]
    public static partial void CreationFailed(ILogger logger, string resource, string scope, Exception exception);

    [LoggerMessage(EventId = EventIds.Resources + 2, Level = LogLevel.Debug, EventName = nameof(LateArrivalTornDown),
        Message = "Resource {Resource} was ready only after its creation had timed out or scope '{Scope}' had ended, and was torn down.")]
    public static partial void LateArrivalTornDown(ILogger logger, string resource, string scope);

    [LoggerMessage(EventId = EventIds.Resources + 3, Level = LogLevel.Warning, EventName = nameof(CreationOutlivesScope),
        Message = "Scope '{Scope}' ended while {Resources} were in flight, and its teardown budget is used up. Their factories should " +
            "observe the cancellation token they are given. What arrives later is torn down on its own.")]
    public static partial void CreationOutlivesScope(ILogger logger, string scope, string resources);

    [LoggerMessage(EventId = EventIds.Resources + 10, Level = LogLevel.Debug, EventName = nameof(ReleasePromoted),
        Message = "{Resources} could not be released after the handler of '{Scope}' but only after its response: {Reason}.")]
    public static partial void ReleasePromoted(ILogger logger, string resources, string scope, string reason);
}
