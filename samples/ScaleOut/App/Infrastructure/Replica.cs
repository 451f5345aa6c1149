namespace ScaleOut.Infrastructure;

/// <summary>Which of the replicas this is: the setting <c>Replica</c>, or the machine's name.</summary>
internal static class Replica
{
    public static string NameFrom(IConfiguration configuration) => configuration["Replica"] ?? Environment.MachineName;

    /// <summary>Says in every answer who gave it.</summary>
    public static void UseReplicaName(this WebApplication app)
    {
        var name = NameFrom(app.Configuration);
        app.Use((context, next) =>
        {
            context.Response.Headers["X-Replica"] = name;
            return next(context);
        });
    }
}
