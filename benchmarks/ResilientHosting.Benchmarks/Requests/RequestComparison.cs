using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHosting.Resources;

namespace ResilientHosting.Benchmarks;

/// <summary>
/// Whole requests over a real Kestrel: the same endpoint with a plain scoped service and with a pooled resource, in turns, so that a noisy
/// machine disturbs both alike. The result is the median of the ratios of neighbouring rounds.
/// </summary>
internal static class RequestComparison
{
    public const int DefaultRounds = 15;

    private static readonly Load[] Loads = [new("one by one", Connections: 8, Depth: 1), new("pipelined", Connections: 4, Depth: 16)];

    public static async Task RunAsync(int rounds)
    {
        var database = Path.Combine(Path.GetTempPath(), $"requests-{Guid.NewGuid():N}.sqlite");
        await using var plain = await StartAsync(AddScopedServices(database), MapScopedServices);
        await using var pooled = await StartAsync(AddPooledResources(database), MapPooledResources);
        Console.WriteLine("endpoint  requests    scoped req/s  pooled req/s  pooled/scoped");
        try
        {
            foreach (var path in (string[])["/nothing", "/item", "/query"])
            {
                foreach (var load in Loads)
                {
                    await CompareAsync(path, load, plain, pooled, rounds);
                }
            }
        }
        finally
        {
            SqliteConnection.ClearAllPools();
            File.Delete(database);
        }
    }

    private static Action<IServiceCollection> AddScopedServices(string database) => services =>
    {
        services.AddScoped<Item>();
        services.AddScoped(_ =>
        {
            var connection = new SqliteConnection($"Data Source={database};Pooling=True");
            connection.Open();
            return connection;
        });
    };

    private static Action<IServiceCollection> AddPooledResources(string database) => services =>
    {
        services.AddRequestScopedResource((_, _) => new ValueTask<Item>(new Item())).UsePool();
        services.AddRequestScopedResource(async (_, token) =>
        {
            var connection = new SqliteConnection($"Data Source={database};Pooling=False");
            await connection.OpenAsync(token);
            return connection;
        }).UsePool();
    };

    private static void MapScopedServices(WebApplication app)
    {
        app.MapGet("/nothing", () => TypedResults.Text("hello"));
        app.MapGet("/item", (Item item) => TypedResults.Text(item.Text));
        app.MapGet("/query", (SqliteConnection connection) => TypedResults.Text(Query(connection)));
    }

    private static void MapPooledResources(WebApplication app)
    {
        // Has the library in its pipeline, and asks for nothing.
        app.MapGet("/nothing", () => TypedResults.Text("hello"));
        app.MapGet("/item", (Resource<Item> item) => TypedResults.Text(item.Value.Text));
        app.MapGet("/query", (Resource<SqliteConnection> connection) => TypedResults.Text(Query(connection.Value)));
    }

    private static string Query(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT 'hello'";
        return (string)command.ExecuteScalar()!;
    }

    private static async Task<WebApplication> StartAsync(Action<IServiceCollection> configure, Action<WebApplication> map)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        configure(builder.Services);
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return app;
    }

    private static async Task CompareAsync(string path, Load load, WebApplication plain, WebApplication pooled, int rounds)
    {
        // The first round of each warms it up.
        await load.RunAsync(path, plain);
        await load.RunAsync(path, pooled);

        var measured = new List<(double Plain, double Pooled)>();
        for (var round = 0; round < rounds; round++)
        {
            measured.Add((await load.RunAsync(path, plain), await load.RunAsync(path, pooled)));
        }

        var scoped = Median(measured, pair => pair.Plain);
        var withPool = Median(measured, pair => pair.Pooled);
        var ratio = Median(measured, pair => pair.Pooled / pair.Plain);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{path,-10}{load.Name,-10}{scoped,14:F0}{withPool,14:F0}{ratio,15:F3}"));
    }

    private static double Median(List<(double Plain, double Pooled)> pairs, Func<(double Plain, double Pooled), double> value)
    {
        var ordered = pairs.Select(value).Order().ToList();
        return (ordered[(ordered.Count - 1) / 2] + ordered[ordered.Count / 2]) / 2;
    }

    private sealed class Item
    {
        public string Text { get; } = "hello";
    }
}
