using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

/// <summary>The pool against a real PostgreSQL that goes away and comes back.</summary>
public sealed class PostgreSqlPoolTests
{
    private const int MaxSize = 4;

    [Fact]
    public async Task Pool_ServerHasRestarted_NobodyGetsADeadConnection()
    {
        await using var server = await PostgreSqlServer.StartOrSkipAsync();
        await using var services = Build(server, KestrelTestHost.Timeout);
        var before = await UseAllAsync(services);

        await server.StopAsync();
        await server.StartAgainAsync();
        var after = await UseAllAsync(services);

        Assert.Equal(MaxSize, before.Distinct().Count());
        Assert.Equal(MaxSize, after.Distinct().Count());
        Assert.Equal(MaxSize, services.GetRequiredService<IResourcePool<NpgsqlConnection>>().Statistics.Total);
    }

    [Fact]
    public async Task Pool_ServerIsDown_SaysWhyInTime_AndLosesNothing()
    {
        await using var server = await PostgreSqlServer.StartOrSkipAsync();
        await using var services = Build(server, acquireTimeout: TimeSpan.FromSeconds(3));
        await UseAllAsync(services);

        await server.StopAsync();
        var failure = await Assert.ThrowsAsync<ResourceAcquireTimeoutException>(() => UseAllAsync(services));
        Assert.Equal(ResourceAcquireFailure.BackendFailing, failure.Reason);
        Assert.IsType<SocketException>(Assert.IsType<NpgsqlException>(failure.InnerException).InnerException);

        await server.StartAgainAsync();
        Assert.Equal(MaxSize, (await UseAllAsync(services)).Distinct().Count());
    }

    private static ServiceProvider Build(PostgreSqlServer server, TimeSpan acquireTimeout)
    {
        var settings = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Pooling = false };
        return ResourceTestHost.BuildServices(services => services
            .AddRequestScopedResource(async (_, token) =>
            {
                var connection = new NpgsqlConnection(settings.ConnectionString);
                await connection.OpenAsync(token);
                return connection;
            })
            .UsePool(pool =>
            {
                pool.MaxSize = MaxSize;
                pool.AcquireTimeout = acquireTimeout;
                pool.Validate = async (connection, token) => await ScalarAsync(connection, "select 1", token) == 1;
                pool.ValidationBypass = TimeSpan.Zero;
            })).Services;
    }

    /// <summary>As many scopes as the pool has room for hold a connection at the same time. Returns the server's process of each.</summary>
    private static async Task<int[]> UseAllAsync(ServiceProvider services)
    {
        var everyoneHolds = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var holding = 0;
        return await Task.WhenAll(Enumerable.Range(0, MaxSize).Select(number => services.RunInResourceScopeAsync(
            $"user {number}",
            async (scope, token) =>
            {
                var connection = await scope.GetAsync<NpgsqlConnection>(token);
                if (Interlocked.Increment(ref holding) == MaxSize)
                {
                    everyoneHolds.SetResult();
                }

                await everyoneHolds.Task.Bounded();
                return await ScalarAsync(connection, "select pg_backend_pid()", token);
            })));
    }

    private static async Task<int> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken token)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (int)(await command.ExecuteScalarAsync(token))!;
    }
}
