using ResilientHosting.Resources;

namespace MinimalApi.Activity;

internal static class TeardownActivity
{
    /// <summary>Writes down what became of a resource, and how the request it belonged to had ended.</summary>
    public static void Record(this TeardownContext end, string resource, string fate)
    {
        var request = end.Services.GetRequiredService<IHttpContextAccessor>().HttpContext?.Request;
        var scope = request is null ? "at start" : $"{request.Method} {request.Path}, status {end.Outcome.StatusCode}";
        end.Services.GetRequiredService<ActivityLog>().Add(resource, fate, $"{end.Outcome.Kind}: {scope}");
    }
}
