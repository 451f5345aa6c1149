using ResilientHosting.Aborts;

namespace MinimalApi.Activity;

internal static class ActivityEndpoints
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    public static void MapActivity(this IEndpointRouteBuilder app) => app.MapGet("/activity", ReadAsync).WithTags("Activity");

    /// <summary>Writes down each client that left. Place it outside <c>UseClientAbortTolerance</c>, which gets to know of it.</summary>
    public static void UseActivityLog(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        try
        {
            await next(context);
        }
        finally
        {
            if (context.Features.Get<IClientAbortFeature>() is { IsAborted: true } abort
                && !context.Request.Path.StartsWithSegments("/activity"))
            {
                context.RequestServices.GetRequiredService<ActivityLog>().Add(
                    "client", "left", $"{context.Request.Method} {context.Request.Path} in phase {abort.Phase}, cause {abort.Cause}");
            }
        }
    });

    /// <summary>Everything there is, at once; or what came after a number, waiting for it a while (a long poll).</summary>
    private static async Task<IReadOnlyList<ActivityEntry>> ReadAsync(
        ActivityLog activity,
        IHostApplicationLifetime lifetime,
        TimeProvider clock,
        CancellationToken cancellationToken,
        long? after = null)
    {
        if (after is not { } number)
        {
            return activity.After(0);
        }

        using var patience = new CancellationTokenSource(Patience, clock);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(
            patience.Token, lifetime.ApplicationStopping, cancellationToken);
        return await activity.WaitAfterAsync(number, giveUp.Token);
    }
}
