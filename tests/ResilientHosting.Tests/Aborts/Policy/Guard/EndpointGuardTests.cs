using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy.Guard;

public sealed class EndpointGuardTests
{
    [Fact]
    public async Task Endpoint_DuringTheRequest_TellsTheSameAsBefore()
    {
        Endpoint? before = null;
        Endpoint? during = null;
        Endpoint? after = null;
        await using var host = await KestrelTestHost.StartAsync(app =>
        {
            app.Use(next => async context =>
            {
                before = context.GetEndpoint();
                await next(context);
                after = context.GetEndpoint();
            });
            app.UseClientAbortTolerance();
            app.MapGet("/{id}", (HttpContext context) => { during = context.GetEndpoint(); }).WithDisplayName("named");
        });

        await host.Client.GetAsync("/1", TestContext.Current.CancellationToken);

        var guarded = Assert.IsType<RouteEndpoint>(during);
        var original = Assert.IsType<RouteEndpoint>(before);
        Assert.NotSame(original, guarded);
        Assert.Same(original, after);
        Assert.Same(original.Metadata, guarded.Metadata);
        Assert.Equal(
            (original.RoutePattern, original.Order, original.DisplayName), (guarded.RoutePattern, guarded.Order, guarded.DisplayName));
    }
}
