using Npgsql;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>The faults a server shows on demand are real ones.</summary>
public sealed class PostgreSqlServerTests
{
    [Fact]
    public async Task StopAsync_RefusesConnections_UntilStartedAgainWithItsData()
    {
        await using var server = await PostgreSqlServer.StartOrSkipAsync();
        await ExecuteAsync(server, "create table kept (id int)");

        await server.StopAsync();
        await Assert.ThrowsAsync<NpgsqlException>(() => ExecuteAsync(server, "select 1"));

        await server.StartAgainAsync();
        await ExecuteAsync(server, "insert into kept values (1)");
    }

    [Fact]
    public async Task FreezeAsync_AnswersNobody_UntilResumed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Freezing a server needs /proc, which cannot be installed on this system.");
        await using var server = await PostgreSqlServer.StartOrSkipAsync();
        await using var established = new NpgsqlConnection(ConnectionString(server));
        await established.OpenAsync(TestContext.Current.CancellationToken);

        await server.FreezeAsync();
        var refused = await Assert.ThrowsAsync<NpgsqlException>(() => ExecuteAsync(server, "select 1"));
        Assert.IsType<TimeoutException>(refused.InnerException);
        await using var command = new NpgsqlCommand("select 1", established);
        var answer = command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
        Assert.False(answer.IsCompleted);

        await server.ResumeAsync();
        Assert.Equal(1, await answer.WaitAsync(ServerProgram.Timeout, TestContext.Current.CancellationToken));
        await ExecuteAsync(server, "select 1");
    }

    private static string ConnectionString(PostgreSqlServer server) =>
        new NpgsqlConnectionStringBuilder(server.ConnectionString) { Pooling = false, Timeout = 1 }.ConnectionString;

    private static async Task ExecuteAsync(PostgreSqlServer server, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(server));
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
