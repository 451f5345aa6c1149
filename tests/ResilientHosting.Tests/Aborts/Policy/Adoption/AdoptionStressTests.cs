using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ResilientHosting.Tests.Aborts.Policy.Adoption;

public sealed class AdoptionStressTests
{
    private const int Users = 150;

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public async Task Storm_ClientsLeaveAndSendAgain_EachKeyRunsOnceAtATimeAndTheLastCallerIsAnsweredOnce(int seed)
    {
        var gates = new ConcurrentDictionary<string, Barrier>();
        var running = new ConcurrentDictionary<string, int>();
        var overlaps = 0;
        var runs = new ConcurrentDictionary<string, int>();
        async Task<IResult> WorkAsync(string user, int failures)
        {
            if (running.AddOrUpdate(user, 1, (_, count) => count + 1) > 1)
            {
                Interlocked.Increment(ref overlaps);
            }

            await gates.GetOrAdd(user, _ => new Barrier()).PassedAsync();
            running.AddOrUpdate(user, 0, (_, count) => count - 1);
            return runs.AddOrUpdate(user, 1, (_, count) => count + 1) <= failures ? Results.StatusCode(500) : Results.Text(user);
        }

        await using var host = await ResendHost.StartAsync(
            map: (app, _) => app.MapPost("/work/{user}/{failures}", WorkAsync).AdoptOnResend(),
            options: options => options.MaxOrphans = options.MaxOrphansPerClient = 10_000);

        async Task ActAsync(int number)
        {
            var random = new Random((seed * 1000) + number);
            var user = $"{number}";
            var mayFail = random.Next(3);
            var path = $"/work/{user}/{mayFail}";
            var opensAt = random.Next(4);
            for (var attempt = 0; attempt < 3; attempt++)
            {
                using var leaving = new CancellationTokenSource();
                var sent = host.SendAsync(user, path: path, leaving: leaving);
                for (var i = random.Next(40); i > 0; i--)
                {
                    await Task.Yield();
                }

                if (attempt == opensAt)
                {
                    gates.GetOrAdd(user, _ => new Barrier()).Open();
                }

                await leaving.CancelAsync();
                try
                {
                    using var early = await sent;
                    Assert.True((int)early.StatusCode is 200 or 409 or 500, $"{early.StatusCode}");
                }
                catch (OperationCanceledException)
                {
                    // Left before it was answered: what this is about.
                }
            }

            gates.GetOrAdd(user, _ => new Barrier()).Open();
            string answer;
            do
            {
                // Work that failed has no result, and a request that was stopped may arrive after this one: the client sends it again.
                answer = await host.SendForTextAsync(user, path: path);
            }
            while (answer is "500" or "409");
            Assert.Equal(user, answer);
        }

        try
        {
            await Task.WhenAll(Enumerable.Range(0, Users).Select(number => Task.Run(() => ActAsync(number))));
            await host.StopAsync();
            Assert.Equal(0, overlaps);
            Assert.All(running.Values, count => Assert.Equal(0, count));
            host.Clock.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(0, host.Clock.PendingTimers);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"Seed {seed} failed.", exception);
        }
    }
}
