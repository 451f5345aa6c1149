using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;

namespace ResilientHosting.Resources;

/// <summary>
/// Gives every minimal-API handler of the application the filter that releases after the handler. Registered only where a resource asks
/// for that.
/// </summary>
/// <remarks>
/// A filter must be there before a handler is compiled, and only a group can add one from outside. So while the pipeline is being built,
/// which is when the routing looks, the application's routes are in a group without a prefix.
/// </remarks>
internal sealed class HandlerReleaseStartupFilter : IStartupFilter
{
    /// <summary>Where ASP.NET Core's own UseRouting and UseEndpoints find the routes.</summary>
    private const string RoutesKey = "__EndpointRouteBuilder";

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        EndpointDataSource[] own = [];
        IEndpointRouteBuilder? routes = null;

        // A pipeline is built from its end, so this comes last: who maps endpoints later finds the routes as they were.
        app.Use(pipeline =>
        {
            routes?.DataSources.Clear();
            Array.ForEach(own, source => routes?.DataSources.Add(source));
            return pipeline;
        });
        next(app);
        app.Use(pipeline =>
        {
            routes = app.Properties.TryGetValue(RoutesKey, out var value) ? value as IEndpointRouteBuilder : null;
            own = [.. routes?.DataSources ?? []];
            if (routes is not null)
            {
                Group(routes);
            }

            return pipeline;
        });
    };

    private static void Group(IEndpointRouteBuilder routes)
    {
        // Only the routing's own sources let a group take part in compiling a handler. Others would just be copied.
        EndpointDataSource[] handlers = [.. routes.DataSources.Where(source =>
            source.GetType().Assembly == typeof(EndpointDataSource).Assembly
            && source is not (DefaultEndpointDataSource or CompositeEndpointDataSource))];
        if (handlers.Length == 0)
        {
            return;
        }

        var group = routes.MapGroup("");
        foreach (var source in handlers)
        {
            routes.DataSources.Remove(source);
            ((IEndpointRouteBuilder)group).DataSources.Add(source);
        }

        ((IEndpointConventionBuilder)group).Add(HandlerReleaseFilter.AddTo);
    }
}
