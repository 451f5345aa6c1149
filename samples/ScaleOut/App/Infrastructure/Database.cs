using System.Data;
using Npgsql;
using ResilientHosting.Resources;

namespace ScaleOut.Infrastructure;

/// <summary>The database behind PgBouncer, which lends a connection of the database to one transaction at a time.</summary>
internal sealed class Database : IAsyncDisposable
{
    public Database(IConfiguration configuration)
    {
        var address = configuration.GetConnectionString("Orders") ?? throw new InvalidOperationException(
            "There is no connection string Orders. Set ConnectionStrings__Orders to the address of PgBouncer, or use run.sh.");
        var unpooled = new NpgsqlConnectionStringBuilder(address)
        {
            // What a session is told, the next transaction's session may not know: nothing is prepared, and nothing needs a reset.
            MaxAutoPrepare = 0,
            NoResetOnClose = true,

            // The pool is a resource's (see Program.cs). Two pools in a row are two queues and two time-outs.
            Pooling = false,
        };
        ForRequests = NpgsqlDataSource.Create(unpooled);
        ForCache = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(unpooled.ConnectionString)
        {
            Pooling = true,
            MaxPoolSize = configuration.GetValue("Cache:MaxConnections", 4),
        });
    }

    /// <summary>Connections that belong to a request.</summary>
    public NpgsqlDataSource ForRequests { get; }

    /// <summary>Connections for a statement or two outside of any request's; few, so that Npgsql's own pool will do.</summary>
    public NpgsqlDataSource ForCache { get; }

    public static ValueTask<NpgsqlConnection> OpenAsync(ResourceContext context, CancellationToken cancellationToken) =>
        context.Services.GetRequiredService<Database>().ForRequests.OpenConnectionAsync(cancellationToken);

    public static void ConfigurePool(ResourcePoolOptions<NpgsqlConnection> pool)
    {
        pool.Validate = static async (connection, token) =>
        {
            await connection.RunAsync("select 1", token);
            return true;
        };

        // In transaction mode no state stays behind that a DISCARD would have to clear; a connection that broke is replaced.
        pool.Reset = static (connection, _) => ValueTask.FromResult(connection.State == ConnectionState.Open);
    }

    public static async ValueTask<NpgsqlTransaction> BeginAsync(ResourceContext context, CancellationToken cancellationToken)
    {
        var connection = await context.GetAsync<NpgsqlConnection>(cancellationToken);
        return await connection.BeginTransactionAsync(cancellationToken);
    }

    public static async ValueTask EndAsync(NpgsqlTransaction transaction, TeardownContext end)
    {
        await using (transaction)
        {
            if (end.Outcome.ShouldCommit)
            {
                await transaction.CommitAsync(end.Deadline);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ForRequests.DisposeAsync();
        await ForCache.DisposeAsync();
    }
}
