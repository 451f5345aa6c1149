using Npgsql;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy.Adoption;

/// <summary>Two processes of one application share a PostgreSQL server, as two machines behind a proxy do.</summary>
public sealed class TwoProcessesTests
{
    private const string WaitsForTheOther = "runs in another process";

    [Fact]
    public async Task Resend_ToAnotherProcess_GetsTheResultOfTheFirstAndWorkRunsOnce()
    {
        await using var server = await StartDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(server.ConnectionString);
        await using var gate = await CloseGateAsync(server);
        await using var first = await ResendProcess.StartAsync(server, TimeSpan.FromSeconds(10));
        await using var second = await ResendProcess.StartAsync(server, TimeSpan.FromSeconds(10));

        await StopAsync(first);
        var resent = second.SendAsync("key");
        await second.Console.WaitForAsync(WaitsForTheOther);
        await gate.DisposeAsync();

        Assert.Equal($"200 done by {first.Id}", await resent);
        Assert.Equal([first.Id], await RunsAsync(database));
    }

    [Fact]
    public async Task Resend_AfterTheWorkHasEndedInAnotherProcess_GetsTheResultThatNobodyReceived()
    {
        await using var server = await StartDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(server.ConnectionString);
        await using var gate = await CloseGateAsync(server);
        await using var first = await ResendProcess.StartAsync(server, TimeSpan.FromSeconds(10));
        await using var second = await ResendProcess.StartAsync(server, TimeSpan.FromSeconds(10));

        await StopAsync(first);
        await first.Console.WaitForAsync("client of the work has left");
        await gate.DisposeAsync();
        await first.Console.WaitForAsync("was aborted");

        Assert.Equal($"200 done by {first.Id}", await second.SendAsync("key"));

        // Received now, so it is forgotten.
        Assert.Equal($"200 done by {second.Id}", await second.SendAsync("key"));
        Assert.Equal([first.Id, second.Id], await RunsAsync(database));
    }

    [Fact]
    public async Task Process_KilledInTheMiddleOfItsWork_AnotherTakesOverWhenTheLeaseIsOver()
    {
        await using var server = await StartDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(server.ConnectionString);
        await using var gate = await CloseGateAsync(server);
        await using var first = await ResendProcess.StartAsync(server, TimeSpan.FromSeconds(2));
        await using var second = await ResendProcess.StartAsync(server, TimeSpan.FromSeconds(2));

        var broken = first.SendAsync("key");
        await first.Console.WaitForAsync("Work started");
        var resent = second.SendAsync("key");
        await second.Console.WaitForAsync(WaitsForTheOther);
        Assert.Equal([first.Id], await RunsAsync(database));
        await first.KillAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => broken);
        await second.Console.WaitForAsync("Work started");
        await gate.DisposeAsync();

        Assert.Equal($"200 done by {second.Id}", await resent);
        Assert.Equal([first.Id, second.Id], await RunsAsync(database));
        await second.Console.WaitForAsync("took_over");
    }

    /// <summary>Sends a request, and leaves when its work has begun.</summary>
    private static async Task StopAsync(ResendProcess process)
    {
        using var leaving = new CancellationTokenSource();
        var stopped = process.SendAsync("key", leaving);
        await process.Console.WaitForAsync("Work started");
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stopped);
    }

    private static async Task<PostgreSqlServer> StartDatabaseAsync()
    {
        var server = await PostgreSqlServer.StartOrSkipAsync();
        await using var database = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = database.CreateCommand(
            $"{ResendApp.Application.CacheSchema}; create table runs (process int, number serial)");
        await command.ExecuteNonQueryAsync();
        return server;
    }

    /// <summary>Holds all work until the result is disposed of.</summary>
    private static async Task<NpgsqlConnection> CloseGateAsync(PostgreSqlServer server)
    {
        // A pool would keep the session, and the lock with it.
        var connection = new NpgsqlConnection($"{server.ConnectionString};Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand($"select pg_advisory_lock({ResendApp.Application.Gate})", connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    private static async Task<int[]> RunsAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("select array_agg(process order by number) from runs");
        return (int[])(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}
