namespace MinimalApi.Activity;

internal static class ActivityEndpoints
{
    public static void MapActivity(this IEndpointRouteBuilder app) =>
        app.MapGet("/activity", (ActivityLog activity, long after = 0) => activity.After(after)).WithTags("Activity");
}
