using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

/// <summary>
/// The set-up for many machines: every request opens a connection of its own, and the pool all machines share is outside, in PgBouncer.
/// </summary>
public sealed class PgBouncerTests
{
    private const int Machines = 2;
    private const int RequestsPerMachine = 100;
    private const int PoolSize = 4;

    [Fact]
    public async Task PerRequestConnections_OfTwoMachines_ShareFewServerConnections()
    {
        await using var server = await PostgreSqlServer.StartOrSkipAsync();
        await using var pool = await PgBouncerServer.StartOrSkipAsync(server, PoolSize);
        await using var database = NpgsqlDataSource.Create(pool.ConnectionString);
        await ExecuteAsync(database, "create table orders (machine int, id int, server_connections int)");

        var everyoneConnected = new Countdown(Machines * RequestsPerMachine);
        await Task.WhenAll(Enumerable.Range(0, Machines).Select(machine => RunMachineAsync(machine, database, everyoneConnected)));

        var rows = new List<(int Machine, int Id)>();
        await foreach (var (machine, id, serverConnections) in ReadOrdersAsync(database))
        {
            rows.Add((machine, id));
            Assert.InRange(serverConnections, 1, PoolSize);
        }

        var committed = from machine in Enumerable.Range(0, Machines)
                        from id in Enumerable.Range(0, RequestsPerMachine)
                        where Status(id) == HttpStatusCode.OK
                        select (machine, id);
        Assert.Equal(committed, rows.Order());
        await AssertNothingLeakedAsync(database);
    }

    /// <summary>Every fifth request reports a failure after its insert, which must not be committed.</summary>
    private static HttpStatusCode Status(int id) => id % 5 == 4 ? HttpStatusCode.InternalServerError : HttpStatusCode.OK;

    private static async Task RunMachineAsync(int machine, NpgsqlDataSource database, Countdown everyoneConnected)
    {
        var opened = 0;
        var closed = 0;
        await using (var host = await KestrelTestHost.StartAsync(Map, builder => Register(builder.Services)))
        {
            await Task.WhenAll(Enumerable.Range(0, RequestsPerMachine).Select(async id =>
            {
                using var response = await host.Client.PostAsync($"/orders/{id}", content: null);
                Assert.Equal(Status(id), response.StatusCode);
            }));
        }

        // The host has stopped, so the last teardown is over.
        Assert.Equal((RequestsPerMachine, RequestsPerMachine), (opened, closed));

        void Register(IServiceCollection services)
        {
            services.AddRequestScopedResource(
                async (_, token) =>
                {
                    var connection = await database.OpenConnectionAsync(token);
                    Interlocked.Increment(ref opened);
                    return connection;
                },
                async (connection, _) =>
                {
                    await connection.DisposeAsync();
                    Interlocked.Increment(ref closed);
                });
            services.AddRequestScopedResource(
                async (context, token) => await (await context.GetAsync<NpgsqlConnection>(token)).BeginTransactionAsync(token),
                async (transaction, context) =>
                {
                    await using (transaction)
                    {
                        if (context.Outcome.ShouldCommit)
                        {
                            await transaction.CommitAsync(context.Deadline);
                        }
                    }
                });
        }

        void Map(WebApplication app) => app.MapPost("/orders/{id:int}", async (
            int id, Resource<NpgsqlConnection> connection, IRequestResource<NpgsqlTransaction> unitOfWork, CancellationToken aborted) =>
        {
            await everyoneConnected.SignalAndWaitAsync();
            var transaction = await unitOfWork.GetAsync(aborted);
            await using var insert = new NpgsqlCommand(
                "insert into orders select $1, $2, count(*) from pg_stat_activity where backend_type = 'client backend'",
                connection.Value,
                transaction)
            {
                Parameters = { new() { Value = machine }, new() { Value = id } },
            };
            await insert.ExecuteNonQueryAsync(aborted);
            return Results.StatusCode((int)Status(id));
        });
    }

    /// <summary>A connection that was kept, or a transaction left open, would be missing here.</summary>
    private static async Task AssertNothingLeakedAsync(NpgsqlDataSource database)
    {
        var connections = await Task.WhenAll(Enumerable.Range(0, PoolSize).Select(_ => database.OpenConnectionAsync().Bounded()));
        try
        {
            foreach (var connection in connections)
            {
                await connection.BeginTransactionAsync();
            }

            var processes = await Task.WhenAll(connections.Select(connection => ScalarAsync<int>(connection, "select pg_backend_pid()")));
            Assert.Equal(PoolSize, processes.Distinct().Count());
            Assert.Equal(PoolSize, await ScalarAsync<long>(
                connections[0], "select count(*) from pg_stat_activity where backend_type = 'client backend'"));
        }
        finally
        {
            await Task.WhenAll(connections.Select(connection => connection.DisposeAsync().AsTask()));
        }
    }

    private static async Task<T> ScalarAsync<T>(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync().Bounded())!;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync().Bounded();
    }

    private static async IAsyncEnumerable<(int Machine, int Id, int ServerConnections)> ReadOrdersAsync(NpgsqlDataSource database)
    {
        await using var query = database.CreateCommand("select machine, id, server_connections from orders");
        await using var reader = await query.ExecuteReaderAsync().Bounded();
        while (await reader.ReadAsync())
        {
            yield return (reader.GetInt32(0), reader.GetInt32(1), reader.GetInt32(2));
        }
    }

    private sealed class Countdown(int count)
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _remaining = count;

        public Task SignalAndWaitAsync()
        {
            if (Interlocked.Decrement(ref _remaining) == 0)
            {
                _reached.SetResult();
            }

            return _reached.Task.Bounded();
        }
    }
}
