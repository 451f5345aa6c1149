namespace ResilientHosting.Resources;

/// <summary>Tells the request's scope how the pipeline ended. Outermost, so that nothing catches an exception after it.</summary>
internal sealed class ResourceMiddleware(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var revision = context.Features.Revision;
        try
        {
            await next(context).ConfigureAwait(false);
        }
        catch (Exception exception) when (ResourceStack.Of(context) is { } stack)
        {
            await stack.OnPipelineEndedAsync(exception).ConfigureAwait(false);
            throw;
        }

        // An unchanged revision spares a request without resources the search for the feature.
        if (context.Features.Revision != revision && ResourceStack.Of(context) is { } completed)
        {
            await completed.OnPipelineEndedAsync(escaped: null).ConfigureAwait(false);
        }
    }
}
