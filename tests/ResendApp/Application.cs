using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using ResilientHosting.Aborts;
using ScaleOut.Infrastructure;

namespace ResendApp;

/// <summary>
/// <c>POST /work</c> writes a row, waits until the test opens the gate, which is a lock of the database, and answers with its process.
/// </summary>
public static class Application
{
    public const long Gate = 1;

    public const string CacheSchema = PostgreSqlCache.Schema;

    private static readonly Action<ILogger, int, Exception?> Started =
        LoggerMessage.Define<int>(LogLevel.Information, default, "Work started in {Process}.");

    private static readonly Action<ILogger, Exception?> Left =
        LoggerMessage.Define(LogLevel.Information, default, "The client of the work has left.");

    public static async Task Main(string[] arguments)
    {
        var builder = WebApplication.CreateBuilder(arguments);
        builder.Logging.ClearProviders().AddSimpleConsole(console => console.SingleLine = true)
            .SetMinimumLevel(LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information)
            .AddFilter(typeof(NpgsqlDataSource).FullName, LogLevel.Information)
            .AddFilter("ResilientHosting", LogLevel.Debug);
        await using var database = NpgsqlDataSource.Create(builder.Configuration["Database"]!);
        builder.Services.AddSingleton(database);
        builder.Services.AddSingleton<IDistributedCache, PostgreSqlCache>();
        builder.Services.AddClientAbortTolerance(options =>
        {
            options.Adoption.LeaseDuration = TimeSpan.Parse(builder.Configuration["Lease"]!, CultureInfo.InvariantCulture);

            // A busy build machine takes its time for the first connection.
            options.Adoption.CacheTimeout = TimeSpan.FromSeconds(30);
        });
        await using var app = builder.Build();
        app.UseClientAbortTolerance();
        app.MapPost("/work", WorkAsync).AdoptOnResend();
        await app.RunAsync();
    }

    private static async Task<string> WorkAsync(
        HttpContext context, NpgsqlDataSource database, ILogger<NpgsqlDataSource> logger, CancellationToken aborted)
    {
        var abort = context.Features.GetRequiredFeature<IClientAbortFeature>();
        await using var registration = abort.ClientAborted.Register(() => Left(logger, null));
        await using var connection = await database.OpenConnectionAsync(aborted);
        await RunAsync(connection, "insert into runs values ($1)", Environment.ProcessId, aborted);
        Started(logger, Environment.ProcessId, null);
        await RunAsync(connection, "select pg_advisory_lock_shared($1)", Gate, aborted);
        await RunAsync(connection, "select pg_advisory_unlock_shared($1)", Gate, aborted);
        return string.Create(CultureInfo.InvariantCulture, $"done by {Environment.ProcessId}");
    }

    private static async Task RunAsync<T>(NpgsqlConnection connection, string sql, T parameter, CancellationToken aborted)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = parameter });
        await command.ExecuteNonQueryAsync(aborted);
    }
}
