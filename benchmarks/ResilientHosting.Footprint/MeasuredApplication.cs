using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Benchmarks.Features;
using ResilientHosting.Resources;

namespace ResilientHosting.Footprint;

/// <summary>An application that asks a database for each request, with as many features as it is told.</summary>
internal static class MeasuredApplication
{
    public static async Task RunAsync(Feature features)
    {
        var builder = WebApplication.CreateBuilder();
        if (features.HasFlag(Feature.Resources))
        {
            builder.Services.AddRequestScopedResource((_, _) => new ValueTask<SqliteConnection>(Open(pooling: false))).UsePool();
        }
        else
        {
            builder.Services.AddScoped(_ => Open(pooling: true));
        }

        // The one above takes the place of the resource that the others are measured with.
        (features & ~Feature.Resources).AddTo(builder.Services);

        await using var app = builder.Build();
        features.Use(app);
        if (features.HasFlag(Feature.Resources))
        {
            app.MapGet("/", (Resource<SqliteConnection> connection) => Ask(connection.Value));
        }
        else
        {
            app.MapGet("/", (SqliteConnection connection) => Ask(connection));
        }

        await app.RunAsync();
    }

    private static SqliteConnection Open(bool pooling)
    {
        var connection = new SqliteConnection($"Data Source=:memory:;Pooling={pooling}");
        connection.Open();
        return connection;
    }

    private static string Ask(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT 'hello'";
        return (string)command.ExecuteScalar()!;
    }
}
