using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <content>What a teardown is told.</content>
public sealed partial class SemanticsTableTests
{
    [Theory, MemberData(nameof(Servers))]
    public async Task UnhandledException(Server server)
    {
        var host = await StartAsync(
            server,
            services => services.AddTracked<Alpha>(_ledger).AddTracked<Beta>(_ledger),
            app => app.MapGet("/", async Task<string> (IRequestResource<Alpha> alpha, IRequestResource<Beta> beta) =>
            {
                await UseAsync(alpha);
                await UseAsync(beta);
                throw Thrown;
            }));
        host.Logs.Expect("ApplicationError");

        await SendAsync();

        for (var i = 0; i < 2; i++)
        {
            var outcome = await _ledger.NextOutcomeAsync();
            Assert.Equal((ScopeOutcomeKind.Faulted, 500, false), (outcome.Kind, outcome.StatusCode, outcome.ShouldCommit));
            Assert.Same(Thrown, outcome.Exception);
        }
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task ExceptionHandledInsideTheApp(Server server)
    {
        var host = await StartAsync(server, services => services.AddTracked<Alpha>(_ledger), app =>
        {
            app.UseExceptionHandler(handler => handler.Run(context => context.Response.WriteAsync("sorry")));
            app.MapGet("/caught", async (IRequestResource<Alpha> alpha) =>
            {
                try
                {
                    await UseAsync(alpha);
                    throw Thrown;
                }
                catch (InvalidOperationException)
                {
                    return "recovered";
                }
            });
            app.MapGet("/handled", async Task<string> (IRequestResource<Alpha> alpha) =>
            {
                await UseAsync(alpha);
                throw Thrown;
            });
        });
        host.Logs.Expect("UnhandledException");

        await host.Client.GetStringAsync("/caught", Test);
        var caught = await _ledger.NextOutcomeAsync();
        using var response = await host.Client.GetAsync("/handled", Test);
        var handled = await _ledger.NextOutcomeAsync();

        Assert.Equal((ScopeOutcomeKind.Succeeded, true), (caught.Kind, caught.ShouldCommit));
        Assert.Equal((ScopeOutcomeKind.ExceptionHandled, 500, false), (handled.Kind, handled.StatusCode, handled.ShouldCommit));
        Assert.Same(Thrown, handled.Exception);
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task HttpErrorStatusWithoutException(Server server)
    {
        var host = await StartAsync(
            server,
            services => services.AddTracked<Alpha>(_ledger),
            app => app.MapGet("/{status:int}", async (int status, IRequestResource<Alpha> alpha) =>
            {
                await UseAsync(alpha);
                return Results.StatusCode(status);
            }));

        foreach (var (status, commits) in new[] { (404, true), (499, true), (500, false), (503, false) })
        {
            using var response = await host.Client.GetAsync($"/{status}", Test);
            var outcome = await _ledger.NextOutcomeAsync();
            Assert.Equal((ScopeOutcomeKind.Succeeded, status, commits), (outcome.Kind, outcome.StatusCode, outcome.ShouldCommit));
        }
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task ClientAbort(Server server)
    {
        CancellationToken deadline = default;
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = await StartAsync(
            server,
            services => services.AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), (alpha, end) =>
            {
                deadline = end.Deadline;
                Assert.False(deadline.IsCancellationRequested);
                return _ledger.TearDown(alpha, end);
            }),
            app => app.MapGet("/", async (HttpContext context, IRequestResource<Alpha> alpha) =>
            {
                await UseAsync(alpha);
                using var registration = context.RequestAborted.Register(aborted.SetResult);
                _entered.Open();
                await aborted.Task;

                // The client has gone, the handler has not: its resource is in use.
                await _release.PassedAsync();
                Assert.Empty(Teardowns());
                return "nobody reads this";
            }));
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Test);

        var request = host.Client.GetAsync("/", leave.Token);
        await _entered.PassedAsync();
        await leave.CancelAsync();
        await aborted.Task.Bounded();
        _release.Open();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Aborted, false), (outcome.Kind, outcome.ShouldCommit));
        Assert.True(deadline.CanBeCanceled);
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task TeardownRaises(Server server)
    {
        var host = await StartAsync(
            server,
            services =>
            {
                services.AddTracked<Alpha>(_ledger);
                services.AddRequestScopedResource<Beta>((_, _) => new(new Beta()), (_, _) => throw new NotSupportedException("beta"));
                services.AddRequestScopedResource<Gamma>((_, _) => new(new Gamma()), (_, _) => throw new NotSupportedException("gamma"));
            },
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha, IRequestResource<Beta> beta, IRequestResource<Gamma> gamma) =>
            {
                await UseAsync(alpha);
                await UseAsync(beta);
                await UseAsync(gamma);
                return "fine";
            }));
        host.Logs.Expect("TeardownFailed");

        Assert.Equal("fine", await host.Client.GetStringAsync("/", Test));
        Assert.Equal(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);
        await host.DisposeAsync();

        Assert.Equal("2 of 3 resources of scope 'HTTP: GET /' could not be torn down: Gamma, Beta.", host.Logs.Only("TeardownFailed").Message);
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task TeardownRaisesBecauseOfRequestFault(Server server)
    {
        var second = new NotSupportedException("the connection is broken too", Thrown);
        var host = await StartAsync(
            server,
            services =>
            {
                services.AddTracked<Alpha>(_ledger);
                services.AddRequestScopedResource<Beta>((_, _) => new(new Beta()), (_, _) => throw second);
            },
            app => app.MapGet("/", async Task<string> (IRequestResource<Alpha> alpha, IRequestResource<Beta> beta) =>
            {
                await UseAsync(alpha);
                await UseAsync(beta);
                throw Thrown;
            }));
        host.Logs.Expect("ApplicationError").Expect("TeardownFailed");

        await SendAsync();

        // Both are kept, each where it belongs, and what the other teardowns are told is the first one.
        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Same(Thrown, outcome.Exception);
        await host.DisposeAsync();
        Assert.Same(second, host.Logs.Only("TeardownFailed").Exception);
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task TeardownCannotReplaceTheOutcome(Server server)
    {
        var host = await StartAsync(
            server,
            services =>
            {
                services.AddTracked<Alpha>(_ledger);
                services.AddRequestScopedResource<Beta>((_, _) => new(new Beta()), (_, end) => end.Outcome.Exception is null
                    ? throw new NotSupportedException("instead of success")
                    : throw new NotSupportedException("instead of the fault"));
            },
            app =>
            {
                app.MapGet("/ok", async (IRequestResource<Alpha> alpha, IRequestResource<Beta> beta) =>
                {
                    await UseAsync(alpha);
                    await UseAsync(beta);
                    return "ok";
                });
                app.MapGet("/throw", async Task<string> (IRequestResource<Alpha> alpha, IRequestResource<Beta> beta) =>
                {
                    await UseAsync(alpha);
                    await UseAsync(beta);
                    throw Thrown;
                });
            });
        host.Logs.Expect("TeardownFailed").Expect("ApplicationError");

        using (var response = await host.Client.GetAsync("/ok", Test))
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Equal(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);
        var leftTheApplication = await SendAsync("/throw");
        Assert.Equal(ScopeOutcomeKind.Faulted, (await _ledger.NextOutcomeAsync()).Kind);

        // What the server got of the second request: TestServer shows it to the client, Kestrel in its log.
        Assert.Same(Thrown, server == Server.TestServer ? leftTheApplication : host.Logs.Only("ApplicationError").Exception);
    }
}
