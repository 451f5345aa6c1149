namespace ResilientHosting.Resources;

/// <summary>What an operator of resources is told. Event names are API.</summary>
internal static partial class OperationLog
{
    [LoggerMessage(EventId = EventIds.Resources + 20, Level = LogLevel.Information, EventName = nameof(PoolReconfigured),
        Message = "The pool of {Resource} follows its configuration: {Changes}.")]
    public static partial void PoolReconfigured(ILogger logger, string resource, IReadOnlyList<string> changes);

    [LoggerMessage(EventId = EventIds.Resources + 21, Level = LogLevel.Warning, EventName = nameof(PoolConfigurationRefused),
        Message = "The pool of {Resource} keeps its settings, because the configuration has become invalid: {Errors}")]
    public static partial void PoolConfigurationRefused(ILogger logger, string resource, string errors, Exception? exception);

    [LoggerMessage(EventId = EventIds.Resources + 22, Level = LogLevel.Warning, EventName = nameof(HeldTooLong),
        Message = "Scope '{Scope}' (trace {TraceId}) has held {Resource} for more than {Age}, and so have {Others} other scopes of that " +
            "name. If it is not in use all that time, give it back between uses with ReleaseAsync, or open a scope for each step.{Acquirer}")]
    public static partial void HeldTooLong(
        ILogger logger, string scope, string traceId, string resource, TimeSpan age, int others, string acquirer);
}
