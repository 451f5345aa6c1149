using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;

namespace ResilientHosting.Resources;

/// <summary>The second release point of controllers and Razor Pages: around the action and all other action and page filters.</summary>
internal sealed class HandlerReleaseMvcFilter : IAsyncActionFilter, IAsyncPageFilter, IOrderedFilter
{
    /// <summary>Outermost.</summary>
    public int Order => int.MinValue;

    public async Task OnActionExecutionAsync(ActionExecutingContext context, ActionExecutionDelegate next)
    {
        var executed = await next().ConfigureAwait(false);
        await OnExecutedAsync(context.HttpContext, executed.Result, executed.ExceptionHandled ? null : executed.Exception)
            .ConfigureAwait(false);
    }

    public Task OnPageHandlerSelectionAsync(PageHandlerSelectedContext context) => Task.CompletedTask;

    public async Task OnPageHandlerExecutionAsync(PageHandlerExecutingContext context, PageHandlerExecutionDelegate next)
    {
        var executed = await next().ConfigureAwait(false);
        await OnExecutedAsync(context.HttpContext, executed.Result, executed.ExceptionHandled ? null : executed.Exception)
            .ConfigureAwait(false);
    }

    private static Task OnExecutedAsync(HttpContext context, IActionResult? result, Exception? exception) =>
        ResourceStack.Of(context) is not { } stack ? Task.CompletedTask
            : exception is null ? stack.OnHandlerReturnedAsync(result, context.GetEndpoint())
            : stack.OnHandlerFailedAsync(exception, context.GetEndpoint());

    /// <summary>Where there is no MVC, nobody asks for its options and none of this exists.</summary>
    public sealed class Setup : IConfigureOptions<MvcOptions>
    {
        public void Configure(MvcOptions options) => options.Filters.Insert(0, new HandlerReleaseMvcFilter());
    }
}
