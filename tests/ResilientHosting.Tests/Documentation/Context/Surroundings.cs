/// <summary>The names an example may use without declaring them. Examples are compiled, never run.</summary>
internal static class Surroundings
{
    public static WebApplicationBuilder builder { get; } = null!;

    public static WebApplication app { get; } = null!;

    public static ClientAbortOptions options { get; } = null!;

    public static IServiceCollection services { get; } = null!;

    public static ILogger logger { get; } = null!;

    public static CancellationToken stopping { get; }

    // Inside a handler.
    public static HttpContext context { get; } = null!;

    public static DbTransaction transaction { get; } = null!;

    // Inside a test.
    public static Microsoft.AspNetCore.Mvc.Testing.WebApplicationFactory<Program> factory { get; } = null!;

    // Handlers.
    public static Task<string> BuildReport(CancellationToken token) => throw null!;

    public static Task Pay(CancellationToken token) => throw null!;

    public static Task Import(Stream body, CancellationToken token) => throw null!;

    public static Task Order(CancellationToken token) => throw null!;

    public static Task Raw(HttpContext context) => throw null!;

    // Factories of resources.
    public static ValueTask<NpgsqlConnection> OpenAsync(ResourceContext context, CancellationToken token) => throw null!;
}
