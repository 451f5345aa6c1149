using Microsoft.AspNetCore.Hosting;

namespace ResilientHosting.Resources;

internal sealed class ResourceStartupFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(pipeline => new ResourceMiddleware(pipeline).InvokeAsync);
        next(app);
    };
}
