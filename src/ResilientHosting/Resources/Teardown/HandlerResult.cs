using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Infrastructure;

namespace ResilientHosting.Resources;

/// <summary>What a handler's result says before it is written.</summary>
internal static class HandlerResult
{
    public static int? StatusCodeOf(object? result) => Unwrap(result) switch
    {
        IStatusCodeHttpResult { StatusCode: { } status } => status,
        IStatusCodeActionResult { StatusCode: { } status } => status,
        _ => null,
    };

    /// <summary>Why resources may still be in use although the handler has returned; <see langword="null"/> if they are not.</summary>
    public static string? WhyItIsTooEarly(object? result, bool responseStarted)
    {
        result = Unwrap(result);
        return IsStreamed(result) ? $"its result ({ResourceName.Of(result!.GetType())}) is produced while the response is being written"
            : responseStarted ? "it has started the response itself"
            : null;
    }

    /// <summary>Whether the result is produced bit by bit: in a hub it is sent so, too.</summary>
    public static bool IsStreamed([NotNullWhen(true)] object? result) => result switch
    {
        null or string => false,
        FileStreamHttpResult or PhysicalFileHttpResult or VirtualFileHttpResult or PushStreamHttpResult => true,
        FileResult file => file is not FileContentResult,
        IValueHttpResult { Value: { } value } => IsDeferred(value),
        ObjectResult { Value: { } value } => IsDeferred(value),
        JsonResult { Value: { } value } => IsDeferred(value),
        IResult => result.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(ServerSentEventsResult<>),
        _ => IsDeferred(result),
    };

    private static object? Unwrap(object? result) => result is INestedHttpResult nested ? Unwrap(nested.Result) : result;

    private static bool IsDeferred(object value) =>
        value is IQueryable or IAsyncEnumerable<object> || Implements(value.GetType(), typeof(IAsyncEnumerable<>)) || IsChannel(value.GetType());

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification =
        "Who serializes the value enumerates it through the interface, which keeps the interface.")]
    private static bool Implements(Type type, Type definition) =>
        Array.Exists(type.GetInterfaces(), candidate => candidate.IsGenericType && candidate.GetGenericTypeDefinition() == definition);

    private static bool IsChannel(Type? type)
    {
        while (type is not null && !(type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ChannelReader<>)))
        {
            type = type.BaseType;
        }

        return type is not null;
    }
}
