namespace ResilientHosting.Resources;

/// <summary>The second release point of a minimal-API endpoint: around its handler and all its other filters.</summary>
internal static class HandlerReleaseFilter
{
    public static EndpointFilterDelegate Create(EndpointFilterFactoryContext factory, EndpointFilterDelegate next) =>
        invocation => InvokeAsync(invocation.HttpContext, next(invocation));

    private static ValueTask<object?> InvokeAsync(HttpContext context, ValueTask<object?> handling) =>
        handling.IsCompletedSuccessfully && ResourceStack.Of(context) is null
            ? handling
            : AwaitAsync(context, handling);

    private static async ValueTask<object?> AwaitAsync(HttpContext context, ValueTask<object?> handling)
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

        return result;
    }
}
