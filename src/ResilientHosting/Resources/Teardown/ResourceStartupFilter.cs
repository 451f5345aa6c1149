using Microsoft.AspNetCore.Hosting;

namespace ResilientHosting.Resources;

internal sealed class ResourceStartupFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseMiddleware<ResourceMiddleware>();
        next(app);
    };
}
