using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <summary>
/// Many requests end at once, in every way: with detached teardowns in a lane with little room, with scopes opened in them that end before
/// or after them, with failures and exceptions. When the host has stopped, everything was torn down once, users before what they use.
/// </summary>
public sealed class EndOfRequestStressTests
{
    private const int Requests = 600;
    private const int AtATime = 16;

    private readonly Ledger _ledger = new();
    private readonly ConcurrentQueue<string> _tooLate = new();

    // The seed is part of the test's name, so a failure tells it.
    [Theory, InlineData(20260101), InlineData(77), InlineData(4)]
    public async Task RandomEnds_OfManyRequests_BooksBalance(int seed)
    {
        var host = await ResourceTestHost.StartAsync(
            Server.TestServer,
            services =>
            {
                services.Configure<RequestResourceOptions>(options => options.MaxDetachedTeardowns = 4);
                services.AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), TearDownAsync);
                services.AddRequestScopedResource<Using>(
                    async (context, token) => new Using(await context.GetAsync<Alpha>(token)), EndAsync).DetachTeardown();
                services.AddRequestScopedResource<Using>(
                    "waits", async (context, token) => new Using(await context.GetAsync<Alpha>(token)), EndAsync);
            },
            app => app.MapGet("/{number:int}", (int number, HttpContext context) => HandleAsync(context, new Random(unchecked((seed * 31) + number)))));
        host.Logs.Expect("ApplicationError");

        await Parallel.ForAsync(
            0,
            Requests,
            new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = TestContext.Current.CancellationToken },
            async (number, token) => _ = await Record.ExceptionAsync(() => host.Client.GetStringAsync($"/{number}", token))).Bounded();
        await host.DisposeAsync();

        _ledger.AssertBalanced();
        Assert.True(_ledger.Created.Count > Requests, $"{_ledger.Created.Count} objects");
        Assert.Empty(_tooLate);
    }

    private static async Task<string> HandleAsync(HttpContext context, Random random)
    {
        var services = context.RequestServices;
        var detached = services.GetRequiredService<IRequestResource<Using>>();
        var waits = services.GetRequiredKeyedService<IRequestResource<Using>>("waits");
        var child = random.Next(3) == 0 ? services.CreateResourceScope("child") : null;
        for (var i = 0; i < 4; i++)
        {
            await (random.Next(2) == 0 ? detached : waits).GetAsync(CancellationToken.None);
            if (random.Next(4) == 0)
            {
                await detached.ReleaseAsync();
            }
        }

        if (child is not null)
        {
            await child.GetAsync<Using>(CancellationToken.None);
            var ending = EndLaterAsync(child, random.Next(4));
            await (random.Next(2) == 0 ? ending : Task.CompletedTask);
        }

        return random.Next(4) == 0 ? throw new InvalidOperationException("thrown by the handler") : "done";
    }

    private static async Task EndLaterAsync(ResourceScope scope, int later)
    {
        for (var i = 0; i < later; i++)
        {
            await Task.Yield();
        }

        await scope.DisposeAsync();
    }

    private static async ValueTask TearDownAsync(Alpha alpha, TeardownContext end)
    {
        await Task.Yield();
        alpha.TearDown();
    }

    private async ValueTask EndAsync(Using user, TeardownContext end)
    {
        await Task.Yield();
        if (user.Alpha.Teardowns > 0)
        {
            _tooLate.Enqueue(end.Outcome.Kind.ToString());
        }
    }

    private sealed record Using(Alpha Alpha);
}
