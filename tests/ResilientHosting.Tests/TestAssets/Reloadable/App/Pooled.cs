using ResilientHosting.Resources;

/// <summary>A pool and requests that hold an object of it for as long as their clients like.</summary>
internal static class Pooled
{
    public static void AddPooled(this IServiceCollection services) =>
        services.AddRequestScopedResource((_, _) => ValueTask.FromResult(new Connection())).UsePool(pool => pool.MaxSize = 4);

    public static void MapPooled(this WebApplication app)
    {
        app.UseClientAbortTolerance();
        app.MapGet("/pooled/hold", async (IRequestResource<Connection> connection, CancellationToken left) =>
        {
            await connection.GetAsync(left);
            await Task.Delay(Timeout.Infinite, left);
        });
    }

    internal sealed class Connection;
}
