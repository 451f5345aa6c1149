using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHosting.Benchmarks.Features;
using ResilientHosting.Benchmarks.Reporting;
using ResilientHosting.Resources;

namespace ResilientHosting.Benchmarks;

/// <summary>
/// Whole requests over a real Kestrel, of applications that differ in one thing, in turns, so that a noisy machine disturbs all alike. The
/// result is the median of the ratios of neighbouring rounds.
/// </summary>
internal static class RequestComparison
{
    private const int Rounds = 10;
    private const int QuickRounds = 3;

    private static readonly Load[] Loads =
        [new("one by one", Connections: 8, Depth: 1), new("16 requests pipelined", Connections: 4, Depth: 16)];

    public static async Task RunAsync(string[] args)
    {
        var recorder = new Recorder("requests", args);
        var rounds = args.Contains("--quick") ? QuickRounds : Rounds;
        await CompareResourcesAsync(rounds, recorder);
        await CompareFeaturesAsync(rounds, recorder);
        recorder.Complete();
    }

    private static async Task CompareResourcesAsync(int rounds, Recorder recorder)
    {
        var database = Path.Combine(Path.GetTempPath(), $"requests-{Guid.NewGuid():N}.sqlite");
        await using var plain = await StartAsync("scoped service", AddScopedServices(database), MapScopedServices);
        await using var pooled = await StartAsync("pooled resource", AddPooledResources(database), MapPooledResources);
        try
        {
            foreach (var path in (string[])["/nothing", "/item", "/query"])
            {
                foreach (var load in Loads)
                {
                    await CompareAsync(path, load, [plain, pooled], rounds, recorder);
                }
            }
        }
        finally
        {
            SqliteConnection.ClearAllPools();
            File.Delete(database);
        }
    }

    private static async Task CompareFeaturesAsync(int rounds, Recorder recorder)
    {
        var variants = new List<Variant>();
        foreach (var features in (Feature[])[Feature.None, Feature.Resources, Feature.Tolerance, Feature.Reloader, Feature.All])
        {
            variants.Add(await StartAsync(features.Describe(), services => features.AddTo(services), app =>
            {
                features.Use(app);
                app.MapGet("/bare", () => TypedResults.Text("hello"));
            }));
        }

        foreach (var load in Loads)
        {
            await CompareAsync("/bare", load, variants, rounds, recorder);
        }

        foreach (var variant in variants)
        {
            await variant.DisposeAsync();
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

    private static async Task<Variant> StartAsync(string name, Action<IServiceCollection> configure, Action<WebApplication> map)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        configure(builder.Services);
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return new Variant(name, app);
    }

    private static async Task CompareAsync(string path, Load load, IReadOnlyList<Variant> variants, int rounds, Recorder recorder)
    {
        // The first round of each warms it up.
        var measured = new List<double[]>();
        for (var round = 0; round <= rounds; round++)
        {
            var rates = new double[variants.Count];
            for (var variant = 0; variant < variants.Count; variant++)
            {
                rates[variant] = await load.RunAsync(path, variants[variant].App);
            }

            measured.Add(rates);
        }

        measured.RemoveAt(0);
        for (var variant = 0; variant < variants.Count; variant++)
        {
            recorder.Add(
                [("endpoint", path), ("load", load.Name), ("application", variants[variant].Name)],
                [
                    ("requests/s", measured.Select(rates => rates[variant]).Median()),
                    ("ratio", measured.Select(rates => rates[variant] / rates[0]).Median()),
                ]);
        }
    }

    private sealed record Variant(string Name, WebApplication App) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => App.DisposeAsync();
    }

    private sealed class Item
    {
        public string Text { get; } = "hello";
    }
}
