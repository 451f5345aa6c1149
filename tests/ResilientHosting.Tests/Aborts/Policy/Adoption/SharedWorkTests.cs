using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Aborts;

namespace ResilientHosting.Tests.Aborts.Policy.Adoption;

/// <summary>Several hosts share a cache, as machines behind a proxy do.</summary>
public sealed class SharedWorkTests
{
    private const string Waits = "ResendWaitsForOtherProcess";

    private readonly SharedCache _cache = new();

    [Fact]
    public async Task Resend_ToAnotherHost_BothClientsThatWaitGetTheOneResult()
    {
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        var own = first.SendForTextAsync("key");
        var run = await first.Work.StartedAsync();
        var resent = second.SendForTextAsync("key");
        await second.Events.SeenAsync(Waits);
        run.End("result");

        Assert.Equal(("result", "result"), (await own, await resent));
        Assert.Equal((1, 0), (first.Work.Runs, second.Work.Runs));
        await second.StopAsync();
        Assert.Equal(["adopted"], second.Outcomes);
    }

    [Fact]
    public async Task Resend_LocalRequestsJoinOneThatWaitsForAnotherHost_LatestGetsTheResult()
    {
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        var own = first.SendForTextAsync("key");
        var run = await first.Work.StartedAsync();
        using var leaving = new CancellationTokenSource();
        var left = second.SendAsync("key", leaving: leaving);
        await second.Events.SeenAsync(Waits);
        var latest = second.SendForTextAsync("key");
        await second.Events.SeenAsync("ResendWaits");

        // The one that asks the cache leaves; the other one has to ask then.
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        await second.Events.SeenAsync(Waits, 2);
        run.End("result");

        Assert.Equal(("result", "result"), (await own, await latest));
        Assert.Equal(0, second.Work.Runs);
    }

    [Fact]
    public async Task Resend_ToTwoOtherHosts_TheLatestGetsTheResult()
    {
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        await using var third = await StartAsync();
        var run = await first.LeaveWorkAsync("key");
        var earlier = second.SendForTextAsync("key");
        await second.Events.SeenAsync(Waits);
        var latest = third.SendForTextAsync("key");

        Assert.Equal("409", await earlier);
        run.End("result");
        Assert.Equal("result", await latest);
    }

    [Fact]
    public async Task Owner_SaysThatItFailed_TheOtherHostTakesOverAtOnce()
    {
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        var run = await first.LeaveWorkAsync("key");
        var resent = second.SendForTextAsync("key");
        await second.Events.SeenAsync(Waits);
        run.End(Microsoft.AspNetCore.Http.Results.StatusCode(500));
        (await second.Work.StartedAsync()).End("second");

        Assert.Equal("second", await resent);
        Assert.Equal(["took_over"], second.Outcomes);
    }

    [Fact]
    public async Task Result_NobodyReceived_IsFoundByAnotherHostAndForgottenThen()
    {
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        await first.EndLeftAsync(await first.LeaveWorkAsync("key"), "result");

        Assert.Equal("422", await second.SendForTextAsync("key", "another body"));
        Assert.Equal("result", await second.SendForTextAsync("key"));
        Assert.Equal((1, 0), (first.Work.Runs, second.Work.Runs));

        var again = first.SendForTextAsync("key");
        (await first.Work.StartedAsync()).End("again");
        Assert.Equal("again", await again);
    }

    [Fact]
    public async Task Result_TooLarge_OtherHostIsTold()
    {
        await using var first = await StartAsync(options => options.Adoption.MaxResultSize = 1);
        await using var second = await StartAsync();
        await first.EndLeftAsync(await first.LeaveWorkAsync("key"), "result");

        Assert.Equal("409", await second.SendForTextAsync("key"));
        Assert.Equal(["too_large"], second.Outcomes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cache_FailsOrHangs_RequestsGoOnLocallyWithOneWarning(bool fails)
    {
        await using var host = await StartAsync(options => options.Adoption.CacheTimeout = TimeSpan.FromMilliseconds(50));
        host.Logs.Expect("AdoptionCacheFailed");
        _cache.Fails = fails;
        _cache.Hangs = !fails;

        for (var i = 0; i < 5; i++)
        {
            var run = await host.LeaveWorkAsync($"key {i}".Replace(' ', '-'));
            var resent = host.SendForTextAsync($"key-{i}");
            await host.Events.SeenAsync("ResendWaits", i + 1);
            run.End("result");
            Assert.Equal("result", await resent);
        }

        // After the first failure the cache is left alone.
        Assert.Equal(1, _cache.Calls);
        host.Logs.Only("AdoptionCacheFailed");
    }

    [Fact]
    public async Task Cache_FailsWhileTheWorkRuns_ResultIsKeptInTheProcess()
    {
        await using var host = await StartAsync();
        host.Logs.Expect("AdoptionCacheFailed");
        var run = await host.LeaveWorkAsync("key");
        _cache.Fails = true;
        await host.EndLeftAsync(run, "result");

        Assert.Equal("result", await host.SendForTextAsync("key"));
    }

    [Fact]
    public async Task Cache_OfOneProcess_IsLeftAlone()
    {
        await using var host = await ResendHost.StartAsync(configure: builder => builder.Services.AddDistributedMemoryCache(
            options => options.SizeLimit = 0));
        await host.EndLeftAsync(await host.LeaveWorkAsync("key"), "result");

        Assert.Equal("result", await host.SendForTextAsync("key"));
        Assert.Equal(["replayed"], host.Outcomes);
    }

    [Fact]
    public void Record_AnyAnswer_IsReadAsItWasWritten()
    {
        var answer = new CapturedResponse(
            201, [new("Location", "/a"), new("Vary", new(["Accept", "Origin"])), new("Empty", "")], new byte[] { 1, 2, 3 });
        var written = new SharedRecord(SharedState.Answered, Guid.NewGuid(), "fingerprint", answer);

        var read = SharedRecord.Parse(written.ToBytes())!;

        Assert.Equal((written.State, written.Owner, written.Fingerprint), (read.State, read.Owner, read.Fingerprint));
        Assert.Equal(answer.Headers, read.Answer!.Headers);
        Assert.Equal(answer.Body.ToArray(), read.Answer.Body.ToArray());
        Assert.Same(
            CapturedResponse.NotKept,
            SharedRecord.Parse((written with { Answer = CapturedResponse.NotKept }).ToBytes())!.Answer);
    }

    [Fact]
    public void Record_Damaged_IsReportedAndNothingElse()
    {
        const int Seed = 7;
        var random = new Random(Seed);
        var answer = new CapturedResponse(200, [new("Name", "value")], new byte[100]);
        var whole = new SharedRecord(SharedState.Answered, Guid.NewGuid(), "fingerprint", answer).ToBytes();
        for (var i = 0; i < 10_000; i++)
        {
            var damaged = whole[..random.Next(whole.Length + 1)];
            for (var change = random.Next(4); change > 0 && damaged.Length > 0; change--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            try
            {
                SharedRecord.Parse(damaged);
            }
            catch (InvalidDataException)
            {
                continue;
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"Seed {Seed}, round {i}.", exception);
            }
        }
    }

    private Task<ResendHost> StartAsync(Action<ClientAbortOptions>? options = null) => ResendHost.StartAsync(
        configure: builder =>
        {
            builder.Services.AddSingleton<IDistributedCache>(_cache);
            builder.Services.AddSingleton(TimeProvider.System);
        },
        options: options,
        hostName: "application");
}
