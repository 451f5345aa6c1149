using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Json;

namespace ResilientHosting.Resources;

/// <summary>
/// Remembers the type a handler declares for its result. Where there is a filter ASP.NET Core forgets it and writes JSON by the object's
/// own type, which differs where types are polymorphic: a client must not notice that a resource is released earlier.
/// </summary>
internal sealed class DeclaredResult
{
    private readonly JsonTypeInfo _type;
    private readonly bool _isExact;

    private DeclaredResult(JsonTypeInfo type)
    {
        _type = type;
        _isExact = type.Type.IsSealed || type.Type.IsValueType || type.PolymorphismOptions is not null;
    }

    public static DeclaredResult? Of(EndpointFilterFactoryContext handler)
    {
        var type = handler.MethodInfo.ReturnType;
        if (type.IsGenericType && type.GetGenericTypeDefinition() is var definition
            && (definition == typeof(Task<>) || definition == typeof(ValueTask<>)))
        {
            type = type.GenericTypeArguments[0];
        }

        return type != typeof(void) && type != typeof(Task) && type != typeof(ValueTask) && type != typeof(string)
            && !type.IsAssignableTo(typeof(IResult))
            && handler.ApplicationServices.GetService<IOptions<JsonOptions>>() is { } options
            && options.Value.SerializerOptions.TryGetTypeInfo(type, out var json)
                ? new DeclaredResult(json)
                : null;
    }

    public object? Apply(object? result) =>
        result is not (null or string or IResult) && (_isExact || result.GetType() == _type.Type) ? new Json(result, _type) : result;

    private sealed class Json(object value, JsonTypeInfo type) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => httpContext.Response.WriteAsJsonAsync(value, type);
    }
}
