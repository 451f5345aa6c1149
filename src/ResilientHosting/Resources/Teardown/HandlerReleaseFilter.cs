using System.Reflection;

namespace ResilientHosting.Resources;

/// <summary>The second release point of a minimal-API endpoint: around its handler and all its other filters.</summary>
internal sealed class HandlerReleaseFilter
{
    private readonly EndpointBuilder _endpoint;

    private HandlerReleaseFilter(EndpointBuilder endpoint) => _endpoint = endpoint;

    /// <summary>Adds the filter as the outermost so far, unless the endpoint has it or has no minimal-API handler.</summary>
    public static void AddTo(EndpointBuilder endpoint)
    {
        // The routing notes a handler's method before all conventions; others, who write their responses themselves, have none.
        if (endpoint.Metadata.Any(item => item is MethodInfo)
            && !endpoint.FilterFactories.Any(factory => factory.Target is HandlerReleaseFilter))
        {
            endpoint.FilterFactories.Insert(0, new HandlerReleaseFilter(endpoint).Create);
        }
    }

    private EndpointFilterDelegate Create(EndpointFilterFactoryContext context, EndpointFilterDelegate next)
    {
        // With other filters there the declared type is forgotten anyway.
        var declared = _endpoint.FilterFactories.Count == 1 ? DeclaredResult.Of(context) : null;
        return invocation => InvokeAsync(invocation.HttpContext, next(invocation), declared);
    }

    private static ValueTask<object?> InvokeAsync(HttpContext context, ValueTask<object?> handling, DeclaredResult? declared) =>
        !handling.IsCompletedSuccessfully || ResourceStack.Of(context) is not null ? AwaitAsync(context, handling, declared)
            : declared is null ? handling
            : new(declared.Apply(handling.Result));

    private static async ValueTask<object?> AwaitAsync(HttpContext context, ValueTask<object?> handling, DeclaredResult? declared)
    {
        object? result;
        try
        {
            result = await handling.ConfigureAwait(false);
        }
        catch (Exception exception) when (ResourceStack.Of(context) is { } stack)
        {
            await stack.OnHandlerFailedAsync(exception, context.GetEndpoint()).ConfigureAwait(false);
            throw;
        }

        if (ResourceStack.Of(context) is { } used)
        {
            await used.OnHandlerReturnedAsync(result, context.GetEndpoint()).ConfigureAwait(false);
        }

        return declared is null ? result : declared.Apply(result);
    }
}
