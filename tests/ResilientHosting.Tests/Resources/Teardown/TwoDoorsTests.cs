using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <summary>However a request ends, on both servers: exactly one teardown, which knows how it ended.</summary>
public sealed class TwoDoorsTests : IAsyncDisposable
{
    private ResourceTestHost? _host;
    private readonly Ledger _ledger = new();
    private readonly TaskCompletionSource _handlerEntered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _clientGone = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static TheoryData<Server> Servers => [Server.Kestrel, Server.TestServer];

    [Theory, MemberData(nameof(Servers))]
    public async Task Request_Succeeds_TearsDownOnceAsSucceeded(Server server)
    {
        var host = await StartAsync(server);

        Assert.Equal("ok", await host.Client.GetStringAsync("/ok", TestContext.Current.CancellationToken));

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, 200, true), (outcome.Kind, outcome.StatusCode, outcome.ShouldCommit));
        Assert.Null(outcome.Exception);
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task Request_NotFound_TearsDownOnceAsSucceededWithItsStatus(Server server)
    {
        var host = await StartAsync(server);

        using var response = await host.Client.GetAsync("/404", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, 404, true), (outcome.Kind, outcome.StatusCode, outcome.ShouldCommit));
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task Request_ServerErrorWithoutException_DoesNotCommit(Server server)
    {
        var host = await StartAsync(server);

        using var response = await host.Client.GetAsync("/503", TestContext.Current.CancellationToken);

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, 503, false), (outcome.Kind, outcome.StatusCode, outcome.ShouldCommit));
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task Request_Streams_ResourceLivesUntilTheLastItem(Server server)
    {
        var host = await StartAsync(server);

        var body = await host.Client.GetStringAsync("/stream", TestContext.Current.CancellationToken);

        Assert.Equal("[0,0,0]", body);
        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, true), (outcome.Kind, outcome.ResponseStarted));
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task Request_ThrowsUnhandled_TearsDownOnceAsFaultedWithThatException(Server server)
    {
        var host = await StartAsync(server);
        host.Logs.Expect("ApplicationError");

        await SendIgnoringFailureAsync(host, "/throw");

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Faulted, 500, false), (outcome.Kind, outcome.StatusCode, outcome.ShouldCommit));
        Assert.Same(Thrown, outcome.Exception);
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task Request_ExceptionBecomesAResponse_TearsDownOnceAsExceptionHandled(Server server)
    {
        var host = await StartAsync(server, withExceptionHandler: true);
        host.Logs.Expect("UnhandledException");

        using var response = await host.Client.GetAsync("/throw", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.ExceptionHandled, 500, false), (outcome.Kind, outcome.StatusCode, outcome.ShouldCommit));
        Assert.Same(Thrown, outcome.Exception);
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task Request_ThrowsInMidStream_TearsDownOnceAsFaultedAfterTheStart(Server server)
    {
        var host = await StartAsync(server);
        host.Logs.Expect("ApplicationError");

        await SendIgnoringFailureAsync(host, "/mid-stream");

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Faulted, 200, true), (outcome.Kind, outcome.StatusCode, outcome.ResponseStarted));
    }

    [Theory]
    [InlineData(Server.Kestrel, "/abort-honoured")]
    [InlineData(Server.Kestrel, "/abort-ignored")]
    [InlineData(Server.TestServer, "/abort-honoured")]
    [InlineData(Server.TestServer, "/abort-ignored")]
    public async Task Client_Leaves_TearsDownOnceAsAborted(Server server, string path)
    {
        var host = await StartAsync(server);
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

        var request = host.Client.GetAsync(path, leave.Token);
        await _handlerEntered.Task.Bounded();
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Aborted, false), (outcome.Kind, outcome.ShouldCommit));
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task Teardown_AfterTheResponse_SeesServicesAndAmbientStateOfTheHandler(Server server)
    {
        var ambient = new AsyncLocal<string>();
        var seen = new TaskCompletionSource<(string? Ambient, bool ScopedAlive)>();
        await using var host = await ResourceTestHost.StartAsync(
            server,
            services => services.AddScoped<ScopedProbe>().AddRequestScopedResource<Alpha>(
                (_, _) => new(new Alpha()),
                (_, context) =>
                {
                    seen.SetResult((ambient.Value, !context.Services.GetRequiredService<ScopedProbe>().Disposed));
                    return default;
                }),
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha, ScopedProbe _, CancellationToken aborted) =>
            {
                ambient.Value = "tenant-7";
                await alpha.GetAsync(aborted);
                return "ok";
            }));

        await host.Client.GetStringAsync("/", TestContext.Current.CancellationToken);

        Assert.Equal(("tenant-7", true), await seen.Task.Bounded());
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task StartupFilter_RegisteredEarlierThrows_IsStillInsideTheDoor(Server server)
    {
        _host = await ResourceTestHost.StartAsync(
            server,
            services =>
            {
                services.AddSingleton<IStartupFilter, ThrowingFilter>();
                services.AddTracked<Alpha>(_ledger);
            },
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha, CancellationToken aborted) => await alpha.GetAsync(aborted) is null));
        _host.Logs.Expect("ApplicationError");

        await SendIgnoringFailureAsync(_host, "/");

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal(ScopeOutcomeKind.Faulted, outcome.Kind);
        Assert.Same(Thrown, outcome.Exception);
    }

    private static readonly InvalidOperationException Thrown = new("thrown by the handler");

    private static async Task SendIgnoringFailureAsync(ResourceTestHost host, string path)
    {
        // TestServer throws the application's exception at the client, Kestrel answers 500 or breaks the transfer.
        _ = await Record.ExceptionAsync(() => host.Client.GetStringAsync(path, TestContext.Current.CancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        // Only a stopped host has had the time for a second teardown.
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        _ledger.AssertBalanced();
    }

    private async Task<ResourceTestHost> StartAsync(Server server, bool withExceptionHandler = false) => _host = await ResourceTestHost.StartAsync(
        server,
        services => services.AddTracked<Alpha>(_ledger),
        app =>
        {
            if (withExceptionHandler)
            {
                app.UseExceptionHandler(handler => handler.Run(context => context.Response.WriteAsync("handled")));
            }

            app.MapGet("/ok", async (IRequestResource<Alpha> alpha) =>
            {
                Assert.Equal(0, (await alpha.GetAsync()).Teardowns);
                return "ok";
            });
            app.MapGet("/404", async (IRequestResource<Alpha> alpha) =>
            {
                await alpha.GetAsync();
                return Results.NotFound();
            });
            app.MapGet("/503", async (IRequestResource<Alpha> alpha) =>
            {
                await alpha.GetAsync();
                return Results.StatusCode(503);
            });
            app.MapGet("/stream", (IRequestResource<Alpha> alpha) => StreamAsync(alpha));
            app.MapGet("/throw", async Task<string> (IRequestResource<Alpha> alpha) =>
            {
                await alpha.GetAsync();
                throw Thrown;
            });
            app.MapGet("/mid-stream", async (HttpContext context, IRequestResource<Alpha> alpha) =>
            {
                await alpha.GetAsync();
                await context.Response.WriteAsync("half");
                await context.Response.Body.FlushAsync();
                throw Thrown;
            });
            app.MapGet("/abort-honoured", async (IRequestResource<Alpha> alpha, CancellationToken aborted) =>
            {
                await alpha.GetAsync(CancellationToken.None);
                _handlerEntered.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, aborted);
            });
            app.MapGet("/abort-ignored", async (HttpContext context, IRequestResource<Alpha> alpha) =>
            {
                await alpha.GetAsync(CancellationToken.None);
                using var registration = context.RequestAborted.Register(_clientGone.SetResult);
                _handlerEntered.SetResult();
                await _clientGone.Task;
                return "nobody reads this";
            });
        });

    private static async IAsyncEnumerable<int> StreamAsync(IRequestResource<Alpha> alpha)
    {
        var resource = await alpha.GetAsync();
        for (var item = 0; item < 3; item++)
        {
            await Task.Yield();
            yield return resource.Teardowns;
        }
    }

    private sealed class ThrowingFilter : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(async (context, pipeline) =>
            {
                await pipeline(context);
                throw Thrown;
            });
            next(app);
        };
    }

    private sealed class ScopedProbe : IDisposable
    {
        public bool Disposed { get; private set; }

        public void Dispose() => Disposed = true;
    }
}
