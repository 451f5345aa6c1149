using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

/// <content>When resources go, and in which order.</content>
public sealed partial class SemanticsTableTests
{
    [Theory, MemberData(nameof(Servers))]
    public async Task Order(Server server)
    {
        var host = await StartAsync(
            server,
            services =>
            {
                services.AddTracked<Gamma>(_ledger).AddTracked<Beta>(_ledger);
                services.AddRequestScopedResource<Alpha>(
                    async (context, token) =>
                    {
                        await context.GetAsync<Beta>(token);
                        return _ledger.Create<Alpha>();
                    },
                    _ledger.TearDown);
            },
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha, IRequestResource<Gamma> gamma) =>
            {
                await UseAsync(alpha);
                await UseAsync(gamma);
            }));

        await host.Client.GetStringAsync("/", Test);
        await host.DisposeAsync();

        // Beta was asked for by Alpha's factory, was complete before it, and so outlives it.
        Assert.Equal(["+Beta", "+Alpha", "+Gamma", "-Gamma", "-Alpha", "-Beta"], _ledger.Events);
    }

    /// <summary>After the response. What <c>ReleaseAfterHandler</c> does is in its own tests.</summary>
    [Theory, MemberData(nameof(Servers))]
    public async Task When(Server server)
    {
        var host = await StartAsync(
            server,
            services => services.AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), async (alpha, end) =>
            {
                _entered.Open();
                await _release.PassedAsync();
                await _ledger.TearDown(alpha, end);
            }),
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha) =>
            {
                await UseAsync(alpha);
                return "answer";
            }));

        // The answer is there while the teardown is still held.
        Assert.Equal("answer", await host.Client.GetStringAsync("/", Test));
        await _entered.PassedAsync();
        Assert.Empty(Teardowns());
        _release.Open();
        Assert.True((await _ledger.NextOutcomeAsync()).ResponseStarted);
    }

    /// <summary>Without <c>ReleaseAfterHandler</c>: alive until the last item. Its promotion is in its own tests.</summary>
    [Theory, MemberData(nameof(Servers))]
    public async Task Streaming(Server server)
    {
        var host = await StartAsync(
            server,
            services => services.AddTracked<Alpha>(_ledger),
            app => app.MapGet("/", (IRequestResource<Alpha> alpha) => StreamAsync(alpha)));

        Assert.Equal("[0,0,0]", await host.Client.GetStringAsync("/", Test));
        Assert.Equal(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);

        static async IAsyncEnumerable<int> StreamAsync(IRequestResource<Alpha> alpha)
        {
            var resource = await alpha.GetAsync(CancellationToken.None);
            for (var item = 0; item < 3; item++)
            {
                await Task.Yield();
                yield return resource.Teardowns;
            }
        }
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task DoubleDispose(Server server)
    {
        var disposals = 0;
        var host = await StartAsync(
            server,
            services =>
            {
                services.AddTracked<Alpha>(_ledger);
                services.AddRequestScopedResource(_ => new DisposeCounter(() => disposals++));
            },
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha, IRequestResource<DisposeCounter> counter) =>
            {
                await UseAsync(alpha);
                await alpha.ReleaseAsync();
                await alpha.ReleaseAsync();

                // The object itself belongs to its user's code: disposing of it too is that code's affair, and breaks nothing.
                (await counter.GetAsync(CancellationToken.None)).Dispose();
            }));

        await host.Client.GetStringAsync("/", Test);
        await host.DisposeAsync();

        Assert.Equal(["+Alpha", "-Alpha"], _ledger.Events);
        Assert.Equal(2, disposals);
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task UseAfterRelease(Server server)
    {
        IRequestResource<Alpha>? kept = null;
        var host = await StartAsync(
            server,
            services => services.AddTracked<Alpha>(_ledger),
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha) =>
            {
                kept = alpha;
                var first = await alpha.GetAsync(CancellationToken.None);
                await alpha.ReleaseAsync();
                var second = await alpha.GetAsync(CancellationToken.None);
                Assert.NotSame(first, second);
                Assert.Equal((1, 0), (first.Teardowns, second.Teardowns));
            }));

        await host.Client.GetStringAsync("/", Test);
        await _ledger.NextOutcomeAsync();
        await _ledger.NextOutcomeAsync();
        _clock.Advance(TimeSpan.FromMinutes(3));

        var exception = await Assert.ThrowsAsync<ResourceScopeClosedException>(() => kept!.GetAsync(Test).Bounded());
        Assert.Equal(
            ("HTTP: GET /", TimeSpan.FromMinutes(3), ScopeOutcomeKind.Succeeded), (exception.ScopeName, exception.Age, exception.Outcome.Kind));
    }

    /// <summary>
    /// Kestrel alone: a TestServer has no connections. That its requests do not wait either is what
    /// <see cref="DetachedTeardownTests.Exception_AnswerDoesNotWaitForADetachedTeardown"/> shows.
    /// </summary>
    [Theory, InlineData(Server.Kestrel)]
    public async Task KeepAlive(Server server)
    {
        var host = await StartAsync(
            server,
            services => services.AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), async (alpha, end) =>
            {
                await _release.PassedAsync();
                await _ledger.TearDown(alpha, end);
            }).DetachTeardown(),
            app => app.MapGet("/{number}", async (int number, IRequestResource<Alpha> alpha) =>
            {
                await UseAsync(alpha);
                return $"answer {number}";
            }));
        await using var connection = await RawHttpClient.ConnectAsync(host.Client.BaseAddress!);

        for (var number = 1; number <= 3; number++)
        {
            await connection.SendGetAsync($"/{number}");
            Assert.Contains($"answer {number}", await connection.ReadUntilAsync($"answer {number}"), StringComparison.Ordinal);
        }

        Assert.Empty(Teardowns());
        _release.Open();
        await host.DisposeAsync();
        Assert.Equal(3, Teardowns().Length);
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task HostStop(Server server)
    {
        var drain = TimeSpan.FromSeconds(11);
        var host = await StartAsync(
            server,
            services =>
            {
                services.Configure<RequestResourceOptions>(options => options.DrainTimeout = drain);
                services.AddTracked<Alpha>(_ledger);
                services.AddRequestScopedResource<Beta>((_, _) => new(_ledger.Create<Beta>()), _ledger.TearDown).UsePool();
            },
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha, IRequestResource<Beta> beta) =>
            {
                await UseAsync(alpha);
                await UseAsync(beta);
                _entered.Open();
                await _release.PassedAsync();
            }));
        host.Logs.Expect("ScopesOutliveHost").Expect("ApplicationError");
        var request = SendAsync();
        await _entered.PassedAsync();

        var stopping = host.Services.GetRequiredService<IHost>().StopAsync(new CancellationToken(canceled: true));
        await _clock.WaitForTimerAsync(drain);
        Assert.Empty(Teardowns());
        _clock.Advance(drain);
        await stopping.Bounded();

        Assert.Equal(2, Teardowns().Length);
        Assert.Equal(ScopeOutcomeKind.HostStopping, (await _ledger.NextOutcomeAsync()).Kind);
        host.Logs.Only("ScopesOutliveHost");
        _release.Open();
        await request.Bounded();
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task OutsideHttp(Server server)
    {
        var host = await StartAsync(server, services => services.AddTracked<Alpha>(_ledger), _ => { });

        await host.Services.RunInResourceScopeAsync("job", async (scope, token) => await scope.GetAsync<Alpha>(token), Test);
        var succeeded = await _ledger.NextOutcomeAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => host.Services.RunInResourceScopeAsync(
            "job",
            async (scope, token) =>
            {
                await scope.GetAsync<Alpha>(token);
                throw Thrown;
            },
            Test));
        var faulted = await _ledger.NextOutcomeAsync();
        await using (var scope = host.Services.CreateResourceScope("job"))
        {
            await scope.GetAsync<Alpha>(Test);
        }

        Assert.Equal(new ScopeOutcome(ScopeOutcomeKind.Succeeded), succeeded);
        Assert.Equal(new ScopeOutcome(ScopeOutcomeKind.Faulted, Thrown), faulted);

        // Nobody said that it succeeded, and an exception in flight cannot be seen.
        Assert.Equal(new ScopeOutcome(ScopeOutcomeKind.Abandoned), await _ledger.NextOutcomeAsync());
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task NestedScope(Server server)
    {
        var child = Task.CompletedTask;
        var host = await StartAsync(
            server,
            services => services.AddTracked<Alpha>(_ledger),
            app => app.MapGet("/", async (HttpContext context, IRequestResource<Alpha> outer) =>
            {
                var outside = await outer.GetAsync(CancellationToken.None);
                child = context.RequestServices.RunInResourceScopeAsync("child", async (scope, token) =>
                {
                    Assert.NotSame(outside, await scope.GetAsync<Alpha>(token));
                    _entered.Open();
                    await _release.PassedAsync();

                    // The request has ended; what it had when this scope was opened is still there.
                    Assert.Equal(0, outside.Teardowns);
                });
                await _entered.PassedAsync();
                return "answer";
            }));

        Assert.Equal("answer", await host.Client.GetStringAsync("/", Test));
        Assert.Empty(Teardowns());
        _release.Open();
        await child.Bounded();
        await host.DisposeAsync();

        Assert.Equal(2, Teardowns().Length);
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task LongLivedRequest(Server server)
    {
        var host = await StartAsync(
            server,
            services => services.AddTracked<Alpha>(_ledger).AddTracked<Beta>(_ledger),
            app => app.MapGet("/events", async (HttpContext context, IRequestResource<Beta> ofTheStream) =>
            {
                context.Response.ContentType = "text/event-stream";
                await UseAsync(ofTheStream);
                for (var number = 1; number <= 3; number++)
                {
                    await context.RequestServices.RunInResourceScopeAsync($"event {number}", async (scope, token) =>
                    {
                        await scope.GetAsync<Alpha>(token);
                        await context.Response.WriteAsync($"data: {number}\n\n", token);
                    });
                    await context.Response.Body.FlushAsync();
                }
            }));

        Assert.Equal("data: 1\n\ndata: 2\n\ndata: 3\n\n", await host.Client.GetStringAsync("/events", Test));
        await host.DisposeAsync();

        Assert.Equal(["+Beta", "+Alpha", "-Alpha", "+Alpha", "-Alpha", "+Alpha", "-Alpha", "-Beta"], _ledger.Events);
    }

    private sealed class DisposeCounter(Action onDispose) : IDisposable
    {
        public void Dispose() => onDispose();
    }
}
