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

    [LoggerMessage(EventId = EventIds.Resources + 4, Level = LogLevel.Warning, EventName = nameof(ScopesOutliveHost),
        Message = "{Count} scopes had not ended when the host's drain time-out was over: {Scopes}. Their resources are torn down while " +
            "in use. Such work should observe its cancellation token.")]
    public static partial void ScopesOutliveHost(ILogger logger, int count, string scopes);

    [LoggerMessage(EventId = EventIds.Resources + 5, Level = LogLevel.Debug, EventName = nameof(ValidationFailed),
        Message = "An idle {Resource} failed its validation and is torn down. Older ones are validated before they are used again.")]
    public static partial void ValidationFailed(ILogger logger, string resource, Exception exception);

    [LoggerMessage(EventId = EventIds.Resources + 6, Level = LogLevel.Warning, EventName = nameof(NestedAcquire),
        Message = "Scope '{Scope}' waits for a {Resource} while scope '{Holder}', which it is part of, holds one of the same pool. Under " +
            "load such scopes wait for one another. Pass the first object on, or release it before. Said once for this pool.")]
    public static partial void NestedAcquire(ILogger logger, string resource, string scope, string holder);

    [LoggerMessage(EventId = EventIds.Resources + 10, Level = LogLevel.Debug, EventName = nameof(ReleasePromoted),
        Message = "{Resources} could not be released after the handler of '{Scope}' but only after its response: {Reason}.")]
    public static partial void ReleasePromoted(ILogger logger, string resources, string scope, string reason);
}
