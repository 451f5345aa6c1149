using System.Data.Common;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

public sealed class ReplaceResourceTests
{
    private readonly Ledger _ledger = new();

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sample_ItsDatabaseReplaced_RunsOnTheReplacement()
    {
        // A database in memory, which lives as long as one connection to it.
        var memory = new SqliteConnectionStringBuilder
        {
            DataSource = nameof(ReplaceResourceTests), Mode = SqliteOpenMode.Memory, Cache = SqliteCacheMode.Shared,
        }.ToString();
        await using var anchor = new SqliteConnection(memory);
        await anchor.OpenAsync(Test);
        var closed = new List<ScopeOutcomeKind>();
        var data = Directory.CreateTempSubdirectory("replaced-");
        var logs = new LogCollector();
        await using (var application = new WebApplicationFactory<Program>().WithWebHostBuilder(builder => builder
            .UseSetting("DataFolder", data.FullName)
            .ConfigureLogging(logging => logging.ClearProviders().AddProvider(logs))
            .ConfigureTestServices(services => services.ReplaceResource<DbConnection>(
                async (_, token) =>
                {
                    var connection = new SqliteConnection(memory);
                    await connection.OpenAsync(token);
                    return connection;
                },
                async (connection, end) =>
                {
                    await connection.DisposeAsync();
                    closed.Add(end.Outcome.Kind);
                }))))
        {
            using var client = application.CreateClient();
            using (var placed = await client.PostAsJsonAsync(
                "/orders", new { customer = "Ada", item = "Replaced lamp", quantity = 1, unitPrice = 2m }, Test))
            {
                placed.EnsureSuccessStatusCode();
            }

            var found = await client.GetFromJsonAsync<JsonElement>("/orders?search=replaced", Test);
            Assert.Equal(1, found.GetArrayLength());
        }

        await using var count = anchor.CreateCommand();
        count.CommandText = "SELECT COUNT(*) FROM orders WHERE item = 'Replaced lamp'";
        Assert.Equal(1L, await count.ExecuteScalarAsync(Test));
        Assert.Equal([ScopeOutcomeKind.Succeeded, ScopeOutcomeKind.Succeeded, ScopeOutcomeKind.Succeeded], closed);
        Assert.Empty(data.GetFiles("orders.db"));
        data.Delete(recursive: true);
        logs.AssertQuiet();
    }

    [Theory]
    [InlineData(Strategy.PerRequest)]
    [InlineData(Strategy.Pool)]
    [InlineData(Strategy.ObjectPool)]
    [InlineData(Strategy.SharedPerHost)]
    public async Task Strategy_OfTheReplaced_IsDropped(Strategy strategy)
    {
        var (services, logs) = ResourceTestHost.BuildServices(collection =>
        {
            var original = collection.AddRequestScopedResource<Alpha>(
                (_, _) => throw new NotSupportedException("the real backend"), (_, _) => throw new NotSupportedException("the real teardown"));
            _ = strategy switch
            {
                Strategy.Pool => original.UsePool(),
                Strategy.ObjectPool => original.UseObjectPool(),
                Strategy.SharedPerHost => original.SharedPerHost(),
                _ => original,
            };
            collection.ReplaceResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), _ledger.TearDown);
        });
        await using (services)
        {
            for (var i = 0; i < 2; i++)
            {
                await services.RunInResourceScopeAsync("test", async (scope, token) => await scope.GetAsync<Alpha>(token), Test);
            }
        }

        Assert.Equal(["+Alpha", "-Alpha", "+Alpha", "-Alpha"], _ledger.Events);
        logs.AssertQuiet();
    }

    [Fact]
    public async Task Named_IsReplacedAlone_AndDisposedOfWithoutATeardown()
    {
        var (services, _) = ResourceTestHost.BuildServices(collection =>
        {
            collection.AddTracked<Alpha>(_ledger);
            collection.AddRequestScopedResource<Stream>("file", (_, _) => throw new NotSupportedException("the real file"));
            collection.AddRequestScopedResource<Stream>((_, _) => new(Stream.Null));
            collection.ReplaceResource<Stream>("file", (_, _) => new(new MemoryStream()));
        });
        await using var root = services;
        Stream replaced;
        await using (var scope = root.CreateResourceScope("test"))
        {
            replaced = await scope.GetAsync<Stream>("file", Test);
            Assert.Same(Stream.Null, await scope.GetAsync<Stream>(Test));
        }

        Assert.False(replaced.CanRead);
    }

    [Fact]
    public void NothingRegistered_SaysWhatIs()
    {
        var services = new ServiceCollection();

        var empty = Assert.Throws<InvalidOperationException>(() => services.ReplaceResource<Alpha>((_, _) => new(new Alpha())));
        services.AddRequestScopedResource<Beta>();
        services.AddRequestScopedResource<Alpha>("other", (_, _) => new(new Alpha()));
        var others = Assert.Throws<InvalidOperationException>(() => services.ReplaceResource<Alpha>("search", (_, _) => new(new Alpha())));

        Assert.Equal(
            "There is no request-scoped resource Alpha to replace. None is registered at all. Replace it after AddRequestScopedResource: in a " +
            "WebApplicationFactory, within ConfigureTestServices.",
            empty.Message);
        Assert.Equal(
            "There is no request-scoped resource Alpha 'search' to replace. Registered are: Beta, Alpha 'other'. Replace it after " +
            "AddRequestScopedResource: in a WebApplicationFactory, within ConfigureTestServices.",
            others.Message);
    }

    [Fact]
    public async Task PoolOfTheReplaced_SaysThatItIsGone()
    {
        var (services, _) = ResourceTestHost.BuildServices(collection =>
        {
            collection.AddRequestScopedResource<Alpha>().UsePool();
            collection.ReplaceResource<Alpha>((_, _) => new(new Alpha()));
        });
        await using var root = services;

        var exception = Assert.Throws<InvalidOperationException>(root.GetRequiredService<IResourcePool<Alpha>>);

        Assert.Equal(
            "Resource Alpha has no pool any more: ReplaceResource gives every scope an object of its own. Replace what asks for the pool too.",
            exception.Message);
    }
}
